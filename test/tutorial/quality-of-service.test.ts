import { expect, test } from 'vitest';
import { startBroker } from '../harness/brokers.ts';
import { useResources } from '../harness/resources.ts';
import { publish, subscribe } from '../harness/tools.ts';
import { describeWalks } from './walks.ts';

const localOnly = { config: [], args: ['-p', '{port}'] };

describeWalks('1.2.4 Qualité de service (QoS), 5 QoS', (walk) => {
  const resources = useResources();

  for (const qos of ['0', '1', '2']) {
    test(`QoS niveau ${qos}: 50 messages arrive once and in order`, async () => {
      const broker = await startBroker(resources, walk.broker, localOnly);
      const port = ['-p', String(broker.port())];
      const subscriber = await subscribe(resources, walk.tools, [...port, '-q', qos, '-t', 'maison/compteur']);
      const numbers = Array.from({ length: 50 }, (_, index) => `mesure ${index + 1}`);

      await publish(walk.tools, [...port, '-q', qos, '-t', 'maison/compteur', '-l'], `${numbers.join('\n')}\n`);

      expect(await subscriber.linesUntil('mesure 50')).toEqual(numbers);
    });
  }

  test('an offline subscriber gets QoS 1 and 2 when it returns, and not QoS 0', async () => {
    const broker = await startBroker(resources, walk.broker, localOnly);
    const port = ['-p', String(broker.port())];
    const session = [...port, '-i', 'tableau', '-c', '-q', '2', '-t', 'maison/#', '-F', '%q %p'];
    const before = await subscribe(resources, walk.tools, session);
    await before.process.stop();

    for (const qos of ['0', '1', '2']) {
      await publish(walk.tools, [...port, '-q', qos, '-t', 'maison/porte', '-m', `publié avec ${qos}`]);
    }
    // At QoS 2 too: a client shows such a message at the end of its four packets, after later ones of QoS 1.
    await publish(walk.tools, [...port, '-q', '2', '-t', 'maison/fin', '-m', 'fin']);

    const after = await subscribe(resources, walk.tools, session);
    expect(await after.linesUntil('2 fin')).toEqual(['1 publié avec 1', '2 publié avec 2', '2 fin']);
  });

  test('a message is delivered with the lower of the two levels', async () => {
    const broker = await startBroker(resources, walk.broker, localOnly);
    const port = ['-p', String(broker.port())];
    const subscriber = await subscribe(resources, walk.tools, [...port, '-q', '1', '-t', 'maison', '-F', '%q %p']);

    for (const qos of ['0', '1', '2']) await publish(walk.tools, [...port, '-q', qos, '-t', 'maison', '-m', qos]);

    expect(await subscriber.linesUntil('1 2')).toEqual(['0 0', '1 1', '1 2']);
  });
});
