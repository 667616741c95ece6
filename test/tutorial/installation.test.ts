import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startBroker } from '../harness/brokers.ts';
import { useResources } from '../harness/resources.ts';
import { publish, runTool, subscribe } from '../harness/tools.ts';
import { waitFor } from '../harness/wait.ts';
import { anonymousListener, describeBrokers, describeWalks, installedBroker } from './walks.ts';

const versionText = { moustique: /^moustique version \d+\.\d+\.\d+$/, mosquitto: /^mosquitto version \d+\.\d+\.\d+$/ };

describeWalks('3.1.1 Installation', (walk) => {
  const resources = useResources();

  test('Affichage de la version installée: $SYS/broker/version', async () => {
    const broker = await startBroker(resources, walk.broker, { config: [], args: ['-p', '{port}'] });
    const topic = '$SYS/broker/version';
    const result = await runTool(walk.tools, 'sub', [
      '-v',
      '-h',
      'localhost',
      '-p',
      String(broker.port()),
      '-t',
      topic,
      '-C',
      '1',
    ]);
    expect(result.status).toBe(0);
    expect(result.stdout).toMatch(/^\$SYS\/broker\/version \S.*\n$/);
    expect(result.stdout.slice(topic.length + 1, -1)).toMatch(versionText[walk.broker]);
  });

  test('Quelques topics spécifiques: the five $SYS topics', async () => {
    const broker = await startBroker(resources, walk.broker, { config: ['sys_interval 1'], args: ['-p', '{port}'] });
    const port = ['-p', String(broker.port())];
    await subscribe(resources, walk.tools, [...port, '-t', 'autre']); // a maximum is told once it is more than one
    const topics = ['clients/connected', 'clients/maximum', 'messages/received', 'uptime', 'version'];
    const filters = topics.flatMap((topic) => ['-t', `$SYS/broker/${topic}`]);
    const subscriber = await subscribe(resources, walk.tools, [...port, '-v', ...filters]);

    const patterns = [
      /^\$SYS\/broker\/clients\/connected 2$/m,
      /^\$SYS\/broker\/clients\/maximum 2$/m,
      /^\$SYS\/broker\/messages\/received \d+$/m,
      /^\$SYS\/broker\/uptime [1-9]\d* seconds$/m,
      /^\$SYS\/broker\/version \S+ version \S+$/m,
    ];
    for (const pattern of patterns) await subscriber.process.waitForOutput(pattern);
    expect(subscriber.lines.length).toBeGreaterThanOrEqual(topics.length);
  });
});

describeWalks('3.1.2 Arrêt, démarrage, redémarrage', (walk) => {
  const resources = useResources();

  test('a retained message and a session with its queue survive a restart', async () => {
    const broker = await startBroker(
      resources,
      walk.broker,
      installedBroker({ 'conf.d/mon_mosquitto.conf': anonymousListener }),
    );
    const port = ['-p', String(broker.port())];
    const session = [...port, '-i', 'tableau', '-c', '-q', '1', '-t', 'maison/+', '-v'];
    await (await subscribe(resources, walk.tools, session)).process.stop();
    await publish(walk.tools, [...port, '-q', '1', '-t', 'maison/porte', '-m', 'ouverte']);
    await publish(walk.tools, [...port, '-q', '1', '-r', '-t', 'jardin/temp', '-m', '12.5']);

    const { status } = await broker.stop();
    expect(status).toBe(0);
    expect(existsSync(join(broker.dir, 'lib', 'mosquitto.db'))).toBe(true);
    await broker.start();

    const queued = await subscribe(resources, walk.tools, session);
    await queued.linesUntil('maison/porte ouverte');
    const retained = await subscribe(resources, walk.tools, [...port, '-t', 'jardin/#', '-v']);
    await retained.linesUntil('jardin/temp 12.5');
  });
});

describeBrokers('3.1.2 Arrêt, démarrage, redémarrage: files of the service', (name) => {
  const resources = useResources();

  test('the pid file names the process while it runs and is gone afterwards', async () => {
    const broker = await startBroker(
      resources,
      name,
      installedBroker({ 'conf.d/mon_mosquitto.conf': anonymousListener }),
    );
    const pid = await waitFor(
      'the pid file',
      () => existsSync(join(broker.dir, 'run/mosquitto.pid')) && broker.read('run/mosquitto.pid'),
    );
    expect(pid.trim()).toBe(String(broker.process.pid));
    expect((await broker.stop()).status).toBe(0);
    expect(existsSync(join(broker.dir, 'run/mosquitto.pid'))).toBe(false);
  });

  test('the log file tells the start, the listener and the end, and goes on after a restart', async () => {
    const broker = await startBroker(
      resources,
      name,
      installedBroker({ 'conf.d/mon_mosquitto.conf': anonymousListener }),
    );
    expect((await broker.stop()).status).toBe(0);
    await broker.start();
    expect((await broker.stop()).status).toBe(0);
    const log = broker.read('log/mosquitto.log');
    expect(log).toMatch(new RegExp(`^\\d{10}: ${name} version \\S+ starting$`, 'm'));
    expect(log).toMatch(/^\d{10}: Config loaded from .*\.conf\.$/m);
    expect(log).toContain(`: Opening ipv4 listen socket on port ${broker.port()}.`);
    expect(log).toMatch(new RegExp(`^\\d{10}: ${name} version \\S+ running$`, 'm'));
    expect(log.match(/ terminating$/gm)).toHaveLength(2);
  });
});
