import mqtt from 'mqtt';
import { describe, expect, test } from 'vitest';
import { startBroker, type TestBroker } from '../harness/brokers.ts';
import { useResources } from '../harness/resources.ts';
import { waitFor } from '../harness/wait.ts';
import { noSmallDisk, type SmallDisk, smallDisk } from './small-disk.ts';

const resources = useResources();
const impediment = noSmallDisk();
/** Of the journal, as made ready. */
const segmentBytes = 8 * 1024 * 1024;

/** Publishes a message and tells how that ended: a Reason Code, or that the connection was closed. */
async function publish(client: mqtt.MqttClient, number: number): Promise<number | 'closed'> {
  const payload = `${number} ${'x'.repeat(60_000)}`;
  return new Promise((resolve) => {
    const onClose = (): void => resolve('closed');
    client.once('close', onClose);
    client.publish('full', payload, { qos: 1 }, (error, packet) => {
      client.off('close', onClose);
      if (error === undefined || error === null) {
        resolve((packet as { reasonCode?: number } | undefined)?.reasonCode ?? 0);
      } else if ('code' in error && typeof error.code === 'number') resolve(error.code);
    });
  });
}

async function connect(
  broker: TestBroker,
  options: mqtt.IClientOptions,
  onMessage: mqtt.OnMessageCallback = () => {},
): Promise<mqtt.MqttClient> {
  const client = mqtt.connect(`mqtt://127.0.0.1:${broker.port()}`, { reconnectPeriod: 0, ...options });
  resources.add({ close: () => client.endAsync(true) });
  client.on('error', () => {});
  // Before the first packet, which may be followed by a whole queue.
  client.on('message', onMessage);
  await new Promise<void>((resolve) => {
    client.once('connect', () => resolve());
  });
  return client;
}

/** Subscribes, and collects the numbers of what comes. */
async function collect(broker: TestBroker, clientId: string, clean: boolean): Promise<Set<number>> {
  const numbers = new Set<number>();
  const client = await connect(broker, { clientId, clean }, (_, payload) => {
    numbers.add(Number(payload.toString('latin1', 0, 10).split(' ')[0]));
  });
  await client.subscribeAsync('full', { qos: 1 });
  return numbers;
}

/** A broker whose data are on the disk, with a Session that everything is queued for. */
async function startOn(disk: SmallDisk): Promise<TestBroker> {
  const broker = await startBroker(resources, 'moustique', {
    config: [
      ...['listener {port} 127.0.0.1', 'allow_anonymous true', 'log_type error', 'log_type warning', 'log_type notice'],
      ...['persistence true', `persistence_location ${disk.path}/`, 'max_queued_messages 0'],
    ],
  });
  const absent = await connect(broker, { clientId: 'absent', clean: false });
  await absent.subscribeAsync('full', { qos: 1 });
  await absent.endAsync();
  return broker;
}

const title = 'a file system that is really full (ENOSPC)';
describe.skipIf(impediment !== null)(impediment === null ? title : `${title} [skipped: ${impediment}]`, () => {
  test('nothing is acknowledged that is not stored, subscribers are served, one line says so, and it ends by itself', async () => {
    // Room for one segment of the journal and a little more.
    const disk = smallDisk(resources, 12);
    const broker = await startOn(disk);
    const lines = (pattern: RegExp): string[] => broker.process.stderr.split('\n').filter((line) => pattern.test(line));
    const online = await collect(broker, 'online', true);
    const publisher = await connect(broker, { clientId: 'five', protocolVersion: 5 });
    const older = await connect(broker, { clientId: 'three', protocolVersion: 4 });

    // Until the journal has used up what it had made ready.
    const stored = new Set<number>();
    let number = 0;
    let answer: number | 'closed' = 0;
    while (answer === 0 && number < 1000) {
      // Again and again, because the broker gives back what it took when it tries to make another segment ready.
      disk.fill();
      answer = await publish(publisher, ++number);
      if (answer === 0) stored.add(number);
    }
    expect(answer).toBe(0x97);
    const refused = number;

    // MQTT 3.1.1 knows no such answer: the connection is closed.
    expect(await publish(older, ++number)).toBe('closed');
    // It is tried again and again, and stays as it is.
    for (let count = 0; count < 3; count++) {
      expect(await publish(publisher, ++number)).toBe(0x97);
      await new Promise((resolve) => setTimeout(resolve, 1200));
    }
    await waitFor('what was not stored to be delivered', () => online.has(refused) && online.has(number));
    expect(lines(/ENOSPC|unable to store/i)).toEqual([
      expect.stringMatching(/unable to store \(ENOSPC\)\. Nothing is acknowledged until this is over\.$/),
    ]);

    disk.makeRoom();
    await waitFor('the disk to be used again', () => lines(/the disk takes data again/).length > 0);
    expect(await publish(publisher, ++number)).toBe(0);
    stored.add(number);
    const after = await connect(broker, { clientId: 'three again', protocolVersion: 4 });
    expect(await publish(after, ++number)).toBe(0);
    stored.add(number);
    expect(lines(/ENOSPC|unable to store|takes data again/i)).toHaveLength(2);

    // What was acknowledged is there, even when the process is killed now.
    broker.process.signal('SIGKILL');
    await broker.process.ended;
    await broker.start();
    const kept = await collect(broker, 'absent', false);
    await waitFor('everything acknowledged to be there', () => [...stored].every((one) => kept.has(one)));
  }, 120_000);

  test('what was made ready is used to its end before anything is refused', async () => {
    // Room for two segments of the journal, which takes the second as soon as it has begun the first.
    const disk = smallDisk(resources, 18);
    const broker = await startOn(disk);
    const publisher = await connect(broker, { clientId: 'five', protocolVersion: 5 });
    await waitFor('the second segment to be ready', () => disk.filesOf(segmentBytes) === 2);
    disk.fill();
    let stored = 0;
    while (stored < 1000 && (await publish(publisher, stored + 1)) === 0) stored++;
    // Two segments less what does not fit at their ends: nothing is lost at the first one.
    expect(stored).toBeGreaterThanOrEqual(2 * Math.floor(segmentBytes / 60_200) - 2);
    await waitFor('the line', () => broker.process.stderr.includes('unable to store'));
    expect(broker.process.stderr.match(/unable to store/g)).toHaveLength(1);
  }, 120_000);
});
