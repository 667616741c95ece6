import { expect, test } from 'vitest';
import { startBroker } from '../harness/brokers.ts';
import { useResources } from '../harness/resources.ts';
import { publish, subscribe } from '../harness/tools.ts';
import { describeWalks } from './walks.ts';

const localOnly = { config: [], args: ['-p', '{port}'] };

describeWalks('1.2.2 Les topics', (walk) => {
  const resources = useResources();

  /** What a subscription prints while messages are published to these topics, the payload being the topic. */
  async function receive(filter: string, topics: readonly string[]): Promise<string[]> {
    const broker = await startBroker(resources, walk.broker, localOnly);
    const port = ['-p', String(broker.port())];
    const subscriber = await subscribe(resources, walk.tools, [...port, '-h', 'localhost', '-t', filter, '-t', 'fin']);
    // QoS 1, so that the broker has each message before the next one is sent and `fin` comes last.
    for (const topic of topics) await publish(walk.tools, [...port, '-q', '1', '-t', topic, '-m', topic]);
    await publish(walk.tools, [...port, '-q', '1', '-t', 'fin', '-m', 'fin']);
    return (await subscriber.linesUntil('fin')).slice(0, -1);
  }

  test('Exemple : maison/salon/temperature', async () => {
    expect(await receive('maison/salon/temperature', ['maison/salon/temperature'])).toEqual([
      'maison/salon/temperature',
    ]);
  });

  test('Le caractère joker + : maison/+/temp', async () => {
    const matching = ['maison/salon/temp', 'maison/garage/temp', 'maison/couloir/temp'];
    expect(await receive('maison/+/temp', ['maison/salon/hum', 'jardin/temp', ...matching])).toEqual(matching);
  });

  test('Le caractère joker # : maison/#', async () => {
    const matching = ['maison/salon/temp', 'maison/salon/hygro', 'maison/rdc/salon/hum', 'maison'];
    expect(await receive('maison/#', ['annexe/couloir/hum', 'jardin/temp', ...matching])).toEqual(matching);
  });

  test('Le caractère joker $ : # and +/… leave out topics that begin with $', async () => {
    expect(await receive('#', ['$maison/salon', 'maison/salon'])).toEqual(['maison/salon']);
    expect(await receive('+/salon', ['$maison/salon', 'maison/salon'])).toEqual(['maison/salon']);
    expect(await receive('$maison/#', ['$maison/salon', 'maison/salon'])).toEqual(['$maison/salon']);
  });

  test('Le caractère joker $ : what a client publishes to $SYS reaches nobody', async () => {
    expect(await receive('$SYS/broker/maison', ['$SYS/broker/maison'])).toEqual([]);
  });
});
