// The history in a real InfluxDB, as Debian has it: what is written comes back, also what was published while the server was away.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { freePort } from '../harness/ports.ts';
import { describeWith, programPath } from '../harness/programs.ts';
import { type Resources, useResources } from '../harness/resources.ts';
import { type RunningProcess, startProcess } from '../harness/running-process.ts';
import { tempDir } from '../harness/temp-dir.ts';
import { waitFor } from '../harness/wait.ts';
import { historyBroker, publisher } from './recording.ts';

/** An InfluxDB 1 with a folder and ports of its own. */
class Influx {
  readonly port: number;
  readonly #resources: Resources;
  readonly #config: string;
  #process: RunningProcess | null = null;

  private constructor(resources: Resources, port: number, config: string) {
    this.#resources = resources;
    this.port = port;
    this.#config = config;
  }

  static async prepare(resources: Resources): Promise<Influx> {
    const folder = tempDir(resources);
    const [port, backupPort] = [await freePort(), await freePort()];
    const config = join(folder, 'influxdb.conf');
    writeFileSync(
      config,
      [
        ...['reporting-disabled = true', `bind-address = "127.0.0.1:${backupPort}"`],
        ...['[meta]', `dir = "${folder}/meta"`],
        ...['[data]', `dir = "${folder}/data"`, `wal-dir = "${folder}/wal"`],
        ...['[http]', `bind-address = "127.0.0.1:${port}"`, 'log-enabled = false'],
        ...['[monitor]', 'store-enabled = false', ''],
      ].join('\n'),
    );
    return new Influx(resources, port, config);
  }

  async start(): Promise<void> {
    const process = startProcess(this.#resources, [programPath('influxd'), 'run', '-config', this.#config]);
    this.#process = process;
    await waitFor(
      () => `influxd to answer; it wrote:\n${process.stdout}${process.stderr}`,
      async () => {
        if (process.hasEnded) throw new Error(`influxd ended at once:\n${process.stdout}${process.stderr}`);
        return (await fetch(`http://127.0.0.1:${this.port}/ping`).catch(() => null))?.status === 204;
      },
    );
  }

  async stop(): Promise<void> {
    await this.#process?.stop();
  }

  /** Rows of the first series of an answer. */
  async ask(q: string): Promise<readonly (readonly unknown[])[]> {
    const answer = await fetch(
      `http://127.0.0.1:${this.port}/query?${new URLSearchParams({ q, db: 'mqtt', epoch: 'ms' })}`,
      {
        method: 'POST',
      },
    );
    const { results } = (await answer.json()) as { results: { series?: { values: unknown[][] }[]; error?: string }[] };
    expect(results[0]?.error).toBeUndefined();
    return results[0]?.series?.[0]?.values ?? [];
  }
}

describeWith(['influxd'], 'the history in InfluxDB', () => {
  const resources = useResources();

  test('numbers, fields and text come back, and what was published while the server was away', async () => {
    const influx = await Influx.prepare(resources);
    await influx.start();
    await influx.ask('CREATE DATABASE mqtt');
    const broker = await historyBroker(resources, [
      'history_topic #',
      `history_sink influx http://127.0.0.1:${influx.port} database mqtt measurement home tag site=here`,
    ]);
    await broker.start();
    const client = await publisher(resources, broker);
    const startMs = Date.now();
    const hostile = 'été, a=b "c"\\d 1';
    await client.publishAsync(hostile, '21.5', { qos: 1 });
    await client.publishAsync('json', '{"t":-1e-3,"x":{"y z":2}}', { qos: 1 });
    await client.publishAsync('text', 'Bonjour "été" \\ \n,', { qos: 1 });
    const rows = (): Promise<readonly (readonly unknown[])[]> =>
      influx.ask('SELECT topic, site, value, t, "x[\\"y z\\"]", payload FROM home');
    await waitFor('three rows', async () => (await rows()).length === 3);
    const first = await rows();
    expect(first.map(([, ...columns]) => columns)).toEqual([
      [hostile, 'here', 21.5, null, null, null],
      ['json', 'here', null, -0.001, 2, null],
      // A line end is shown, because many servers take it for the end of the line.
      ['text', 'here', null, null, null, 'Bonjour "été" \\ \\n,'],
    ]);
    for (const [atMs] of first) expect(Math.abs(Number(atMs) - startMs)).toBeLessThan(60_000);

    await influx.stop();
    for (let count = 1; count <= 50; count++) await client.publishAsync('away', String(count), { qos: 1 });
    await influx.start();
    const away = (): Promise<readonly (readonly unknown[])[]> =>
      influx.ask("SELECT value FROM home WHERE topic = 'away'");
    await waitFor('what was published meanwhile', async () => (await away()).length === 50);
    expect((await away()).map(([, value]) => value)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
  });
});
