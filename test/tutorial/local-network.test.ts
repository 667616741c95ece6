import { expect, test } from 'vitest';
import { startBroker } from '../harness/brokers.ts';
import { useResources } from '../harness/resources.ts';
import { publish, runTool, subscribe } from '../harness/tools.ts';
import { anonymousListener, describeWalks, installedBroker } from './walks.ts';

describeWalks('3.1.3.1 Test sur le RaspBerry Pi (localhost)', (walk) => {
  const resources = useResources();

  test('"Bonjour" on test/val', async () => {
    const broker = await startBroker(resources, walk.broker, { config: [], args: ['-p', '{port}'] });
    const port = String(broker.port());
    const subscriber = await subscribe(resources, walk.tools, ['-v', '-h', 'localhost', '-p', port, '-t', 'test/val']);

    await publish(walk.tools, ['-h', 'localhost', '-p', port, '-t', 'test/val', '-m', 'Bonjour']);

    expect(await subscriber.linesUntil('test/val Bonjour')).toEqual(['test/val Bonjour']);
  });
});

describeWalks('3.1.3.2 Tests sur le réseau local', (walk) => {
  const resources = useResources();

  test('Autoriser les utilisateurs anonymes: conf.d/mon_mosquitto.conf opens the port to every address', async () => {
    const broker = await startBroker(
      resources,
      walk.broker,
      installedBroker({ 'conf.d/mon_mosquitto.conf': anonymousListener }),
    );
    const port = String(broker.port());
    // 127.0.0.2 is an address of this machine that a listener for localhost alone does not answer.
    const subscriber = await subscribe(resources, walk.tools, ['-v', '-h', '127.0.0.2', '-p', port, '-t', 'test/val']);
    await publish(walk.tools, ['-h', '127.0.0.2', '-p', port, '-t', 'test/val', '-m', 'Bonjour']);
    expect(await subscriber.linesUntil('test/val Bonjour')).toEqual(['test/val Bonjour']);
  });

  test('without the file only localhost is accepted', async () => {
    const broker = await startBroker(resources, walk.broker, { config: [], args: ['-p', '{port}'] });
    const message = ['-p', String(broker.port()), '-t', 'test/val', '-m', 'Bonjour'];
    const fromNetwork = await runTool(walk.tools, 'pub', ['-h', '127.0.0.2', ...message]);
    expect(fromNetwork.status).not.toBe(0);
    expect(fromNetwork.stderr).toContain('Connection refused');
    await publish(walk.tools, ['-h', 'localhost', ...message]);
  });

  test('a listener without allow_anonymous refuses clients without a name', async () => {
    const broker = await startBroker(resources, walk.broker, { config: ['listener {port}'] });
    const result = await runTool(walk.tools, 'pub', ['-p', String(broker.port()), '-t', 'test/val', '-m', 'Bonjour']);
    expect(result.status).toBe(5);
    expect(result.stderr).toContain('Connection Refused: not authorised');
  });
});
