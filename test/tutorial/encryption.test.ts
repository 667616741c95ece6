import { expect, test } from 'vitest';
import { prepareBroker, type TestBroker } from '../harness/brokers.ts';
import { CertificateAuthority } from '../harness/certificates.ts';
import { useResources } from '../harness/resources.ts';
import { publish, runTool, subscribe } from '../harness/tools.ts';
import { describeWalks } from './walks.ts';

const certificatePlaces = ['cafile {dir}/ca.crt', 'certfile {dir}/courtier.crt', 'keyfile {dir}/courtier.key'];

describeWalks('4.2 Chiffrage de la connexion', (walk) => {
  const resources = useResources();

  async function start(config: readonly string[]): Promise<{ broker: TestBroker; authority: CertificateAuthority }> {
    const broker = await prepareBroker(resources, walk.broker, { config });
    const authority = await CertificateAuthority.create(broker.dir);
    await authority.issue('server', 'courtier');
    await broker.start();
    return { broker, authority };
  }

  test('Transport en SSL/TLS: a client that knows the authority', async () => {
    const { broker, authority } = await start(['listener {tls}', ...certificatePlaces, 'allow_anonymous true']);
    const secure = ['-h', 'localhost', '-p', String(broker.port('tls')), '--cafile', authority.certFile];
    const subscriber = await subscribe(resources, walk.tools, [...secure, '-v', '-t', 'test/val']);
    await publish(walk.tools, [...secure, '-t', 'test/val', '-m', 'Bonjour']);
    expect(await subscriber.linesUntil('test/val Bonjour')).toEqual(['test/val Bonjour']);
  });

  test('Transport en SSL/TLS: a client that knows another authority refuses the broker', async () => {
    const { broker, authority } = await start(['listener {tls}', ...certificatePlaces, 'allow_anonymous true']);
    const other = await CertificateAuthority.create(broker.dir, 'other');
    const message = ['-h', 'localhost', '-p', String(broker.port('tls')), '-t', 'test/val', '-m', 'Bonjour'];
    expect((await runTool(walk.tools, 'pub', [...message, '--cafile', other.certFile])).status).not.toBe(0);
    await publish(walk.tools, [...message, '--cafile', authority.certFile]);
  });

  test('Authentification par certificats SSL/TLS: the name in the certificate is the user', async () => {
    const { broker, authority } = await start([
      ...['listener {tls}', ...certificatePlaces, 'require_certificate true', 'use_identity_as_username true'],
      ...['log_dest file {dir}/mosquitto.log', 'log_type all'],
    ]);
    const secure = ['-h', 'localhost', '-p', String(broker.port('tls')), '--cafile', authority.certFile];
    const message = [...secure, '-t', 'test/val', '-m', 'Bonjour'];
    const client = await authority.issue('client', 'sonde');
    const stranger = await (await CertificateAuthority.create(broker.dir, 'other')).issue('client', 'intrus');

    await publish(walk.tools, [...message, '-i', 'c1', '--cert', client.certFile, '--key', client.keyFile]);
    expect((await runTool(walk.tools, 'pub', message)).status).not.toBe(0);
    const intruder = ['--cert', stranger.certFile, '--key', stranger.keyFile];
    expect((await runTool(walk.tools, 'pub', [...message, ...intruder])).status).not.toBe(0);

    await broker.stop();
    expect(broker.read('mosquitto.log')).toMatch(/ as c1 \(p[24], c1, k60, u'sonde'\)\.$/m);
    expect(broker.read('mosquitto.log')).not.toContain('intrus');
  });
});
