import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type BrokerOptions, prepareBroker } from './harness/brokers.ts';
import { CertificateAuthority } from './harness/certificates.ts';
import { isListening } from './harness/ports.ts';
import { describeWith } from './harness/programs.ts';
import { useResources } from './harness/resources.ts';
import type { Finished } from './harness/running-process.ts';

// A start that fails says what is wrong and where, ends with Mosquitto's status, and leaves nothing behind.
describeWith(['openssl'], 'a start that fails', () => {
  const passwordLine =
    'sondes:$7$1000$ok22ZIdlWqp0NnJ3$544i9A32tc6JBdkIZx+wVjVtMAODgODoD/vpNdfVsgzP4S68oyyLEWY2PjLeUl02ZJsUufewIg1CPRWAUMCsvg==\n';

  const resources = useResources();

  /** Start, wait for the end, and make sure that no port was left open. Returns what was written on both streams. */
  async function failingStart(
    options: BrokerOptions,
    prepare?: (dir: string) => Promise<void>,
  ): Promise<Finished & { dir: string; output: string }> {
    const broker = await prepareBroker(resources, 'moustique', options);
    await prepare?.(broker.dir);
    const ended = await broker.launch().ended;
    expect(await isListening(broker.port('first'))).toBe(false);
    return { ...ended, dir: broker.dir, output: ended.stdout + ended.stderr };
  }

  test('a bad line: file, line, what was meant, status 3', async () => {
    const { status, output, dir } = await failingStart({
      config: ['listener {first}', 'max_queued_mesages 10', 'max_keepalive 1h'],
    });
    const file = join(dir, 'moustique.conf');
    expect(status).toBe(3);
    expect(output).toContain("Error: Unknown configuration variable 'max_queued_mesages'.");
    expect(output).toContain(`Error found at ${file}:2.`);
    expect(output).toContain('max_queued_messages');
    expect(output).toContain(`${file}:3`);
  });

  test('a bad line in a file of include_dir names that file', async () => {
    const { status, output, dir } = await failingStart({
      config: ['listener {first}', 'include_dir {dir}/conf.d'],
      files: { 'conf.d/own.conf': 'allow_anonymous yes\n' },
    });
    expect(status).toBe(3);
    expect(output).toContain("Error: Invalid 'allow_anonymous' value (yes).");
    expect(output).toContain(`Error found at '${join(dir, 'conf.d/own.conf')}:1'.`);
    expect(output).toContain(`Error found at ${join(dir, 'moustique.conf')}:2.`);
  });

  test('a password file that cannot be read: its name, status 13', async () => {
    const { status, output, dir } = await failingStart({ config: ['listener {first}', 'password_file {dir}/missing'] });
    expect(status).toBe(13);
    expect(output).toContain(`Unable to open pwfile "${join(dir, 'missing')}"`);
  });

  test('a password file with a line that is none: its name, status 3', async () => {
    const { status, output, dir } = await failingStart({
      config: ['listener {first}', 'password_file {dir}/passwd'],
      files: { passwd: 'sondes:mot2passe\n' },
    });
    expect(status).toBe(3);
    expect(output).toContain(join(dir, 'passwd'));
  });

  test('a port in use: which one, status 1, and the listener before it is closed again', async () => {
    const broker = await prepareBroker(resources, 'moustique', {
      config: ['listener {first} 127.0.0.1', 'listener {taken} 127.0.0.1'],
    });
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(broker.port('taken'), '127.0.0.1', resolve));
    resources.add({ close: () => void other.close() });
    const { status, stdout, stderr } = await broker.launch().ended;
    expect(status).toBe(1);
    expect(stdout + stderr).toContain('Error: Address already in use');
    expect(stdout + stderr).toContain(String(broker.port('taken')));
    expect(await isListening(broker.port('first'))).toBe(false);
  });

  test('a corrupt certificate: its file, status 1', async () => {
    const { status, output, dir } = await failingStart(
      {
        config: ['listener {plain}', 'listener {first}', 'certfile {dir}/corrupt.crt', 'keyfile {dir}/server.key'],
        files: { 'corrupt.crt': '-----BEGIN CERTIFICATE-----\nbm90IGEgY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n' },
      },
      async (folder) => {
        await (await CertificateAuthority.create(folder)).issue('server', 'server');
      },
    );
    expect(status).toBe(1);
    expect(output).toContain(join(dir, 'corrupt.crt'));
  });

  test('a key that belongs to another certificate: its file, status 1', async () => {
    const { status, output, dir } = await failingStart(
      { config: ['listener {first}', 'certfile {dir}/server.crt', 'keyfile {dir}/other.key'] },
      async (folder) => {
        const authority = await CertificateAuthority.create(folder);
        await authority.issue('server', 'server');
        await authority.issue('server', 'other');
      },
    );
    expect(status).toBe(1);
    expect(output).toContain(join(dir, 'other.key'));
  });

  test('the same configuration without the fault starts', async () => {
    const broker = await prepareBroker(resources, 'moustique', {
      config: [
        'listener {first}',
        'certfile {dir}/server.crt',
        'keyfile {dir}/server.key',
        'password_file {dir}/passwd',
      ],
      // The password of sondes is mot2passe.
      files: { passwd: passwordLine },
    });
    await (await CertificateAuthority.create(broker.dir)).issue('server', 'server');
    await broker.start();
    expect((await broker.stop()).status).toBe(0);
  });
});
