import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { main as pub } from '../../src/cli/pub.ts';
import { main as rr } from '../../src/cli/rr.ts';
import { main as sub } from '../../src/cli/sub.ts';
import { type BrokerName, startBroker, type TestBroker } from '../harness/brokers.ts';
import { CertificateAuthority } from '../harness/certificates.ts';
import { describeWith } from '../harness/programs.ts';
import { useResources } from '../harness/resources.ts';
import { tempDir } from '../harness/temp-dir.ts';
import { runTool, subscribe } from '../harness/tools.ts';
import { runInProcess } from './in-process.ts';

/** How to reach a broker: its name in titles, and the options for it. */
interface Carrier {
  readonly name: string;
  readonly args: (broker: TestBroker, authority: CertificateAuthority) => readonly string[];
}

const carriers: readonly Carrier[] = [
  { name: 'tcp', args: (broker) => ['-p', String(broker.port('tcp'))] },
  { name: 'tcp over IPv6', args: (broker) => ['-h', '::1', '-p', String(broker.port('tcp'))] },
  { name: 'unix socket', args: (broker) => ['--unix', join(broker.dir, 'socket')] },
  { name: 'websocket', args: (broker) => ['--ws', '-p', String(broker.port('ws'))] },
  {
    name: 'tls',
    args: (broker, authority) => ['-p', String(broker.port('tls')), '--cafile', authority.certFile],
  },
  {
    name: 'tls 1.3',
    args: (broker, authority) => [
      ...['-p', String(broker.port('tls')), '--cafile', authority.certFile],
      ...['--tls-version', 'tlsv1.3'],
    ],
  },
  {
    name: 'tls with a directory of authorities',
    args: (broker, authority) => ['-p', String(broker.port('tls')), '--capath', join(authority.certFile, '..')],
  },
  {
    name: 'websocket over tls',
    args: (broker, authority) => ['--ws', '-p', String(broker.port('wss')), '--cafile', authority.certFile],
  },
];

describeWith(['mosquitto', 'openssl'], 'tools', () => {
  for (const name of ['mosquitto', 'moustique'] satisfies readonly BrokerName[]) {
    describe(`with ${name}`, () => {
      const resources = useResources('end of file');
      let broker: TestBroker;
      let authority: CertificateAuthority;

      beforeAll(async () => {
        const dir = tempDir(resources);
        authority = await CertificateAuthority.create(dir);
        const { certFile, keyFile } = await authority.issue('server', 'localhost');
        const tls = [`certfile ${certFile}`, `keyfile ${keyFile}`];
        broker = await startBroker(resources, name, {
          config: [
            ...['per_listener_settings false', 'allow_anonymous true', 'listener {tcp}', 'listener 0 {dir}/socket'],
            ...['listener {ws}', 'protocol websockets', 'listener {tls}', ...tls],
            ...['listener {wss}', 'protocol websockets', ...tls],
          ],
        });
      });

      for (const carrier of carriers) {
        // The programs, because their parts are loaded when they are needed.
        test(`pub, sub and rr work over ${carrier.name}, MQTT 5.0`, async () => {
          const args = [...carrier.args(broker, authority), '-V', '5'];
          const topic = `${carrier.name}/5`;
          const subscriber = await subscribe(resources, 'moustique', [
            ...args,
            '-t',
            topic,
            '-v',
            '-q',
            '2',
            '-C',
            '3',
          ]);
          for (const qos of ['0', '1', '2']) {
            const sent = await runTool('moustique', 'pub', [...args, '-t', topic, '-q', qos, '-m', `message ${qos}`]);
            expect(sent).toMatchObject({ status: 0, stderr: '' });
          }
          const received = await subscriber.process.ended;
          expect(subscriber.lines).toEqual(['0', '1', '2'].map((qos) => `${topic} message ${qos}`));
          expect(received.status).toBe(0);
          const echo = ['-t', `${topic}/rr`, '-e', `${topic}/rr`, '-m', 'ping'];
          expect(await runTool('moustique', 'rr', [...args, ...echo])).toMatchObject({ status: 0, stdout: 'ping\n' });
        });

        for (const version of ['31', '311']) {
          test(`pub, sub and rr work over ${carrier.name}, MQTT ${version}`, async () => {
            const args = [...carrier.args(broker, authority), '-V', version];
            const topic = `${carrier.name}/${version}`;
            // What was sent before waits in the session.
            const session = [...args, '-i', topic, '-c', '-t', topic, '-q', '2'];
            expect(await runInProcess(sub, [...session, '-E'])).toMatchObject({ status: 0, stderr: '' });
            for (const qos of ['1', '2']) {
              const sent = await runInProcess(pub, [...args, '-t', topic, '-q', qos, '-m', `message ${qos}`]);
              expect(sent).toMatchObject({ status: 0, stderr: '' });
            }
            expect(await runInProcess(sub, [...session, '-C', '2'])).toMatchObject({
              status: 0,
              stdout: 'message 1\nmessage 2\n',
            });
            const echo = ['-t', `${topic}/rr`, '-e', `${topic}/rr`, '-m', 'ping'];
            expect(await runInProcess(rr, [...args, ...echo])).toMatchObject({ status: 0, stdout: 'ping\n' });
          });
        }
      }
    });
  }
});
