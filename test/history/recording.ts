import { join } from 'node:path';
import { connect, type MqttClient } from 'mqtt';
import { openFileHistory } from '../../src/history/file-history.ts';
import { prepareBroker, type TestBroker } from '../harness/brokers.ts';
import { moustiqueCommand } from '../harness/repository.ts';
import type { Resources } from '../harness/resources.ts';
import { type Finished, runToEnd } from '../harness/running-process.ts';

/** A broker that keeps what `history_topic` lines say, in its own folder. */
export function historyBroker(resources: Resources, lines: readonly string[]): Promise<TestBroker> {
  const config = ['listener {port} 127.0.0.1', 'allow_anonymous true', 'history_location {dir}', ...lines];
  return prepareBroker(resources, 'moustique', { config });
}

/** A client that publishes with QoS 1; ended with the test. */
export async function publisher(resources: Resources, broker: TestBroker): Promise<MqttClient> {
  const client = connect(`mqtt://127.0.0.1:${broker.port()}`, { clientId: 'sensor', reconnectPeriod: 0 });
  resources.add({ close: () => client.endAsync(true) });
  await new Promise<void>((resolve, reject) => {
    client.once('connect', () => resolve());
    client.once('error', reject);
  });
  return client;
}

/** Runs `moustique history`. */
export function history(...words: readonly string[]): Promise<Finished> {
  return runToEnd([...moustiqueCommand('moustique'), 'history', ...words]);
}

/** What an export of everything holds, read from the file as another process does. */
export async function exported(
  broker: TestBroker,
  what: 'messages' | 'samples' = 'messages',
  filter = '#',
): Promise<readonly ExportedLine[]> {
  const file = openFileHistory(fileOf(broker), [], Date.now());
  try {
    let text = '';
    for await (const piece of file.exported({ what, filter, format: 'jsonl' })) text += Buffer.from(piece).toString();
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as ExportedLine);
  } finally {
    file.close();
  }
}

export interface ExportedLine {
  readonly time: string;
  readonly timeMs: number;
  readonly topic: string;
  readonly qos: number;
  readonly retain: boolean;
  readonly client: string;
  readonly payload?: string;
  readonly payloadBase64?: string;
  readonly field?: string;
  readonly value?: number;
}

/** The database of a broker. */
export function fileOf(broker: TestBroker): string {
  return join(broker.dir, 'history.db');
}
