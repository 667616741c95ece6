/**
 * Many at once: connections that say nothing or too little, that stop in the middle of TLS, that give wrong passwords, that take
 * each other's place. Memory bounds are stated with each; times are asserted at full size only, see `sizes.ts`.
 */
import { connect, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { packetsOf } from '../conformance/wire/packets.ts';
import { CertificateAuthority } from '../harness/certificates.ts';
import { useResources } from '../harness/resources.ts';
import { waitFor } from '../harness/wait.ts';
import type { Attacker } from './attacker.ts';
import { hasProc, Siege, transports } from './siege.ts';
import { isFullSiege, size } from './sizes.ts';

const versions = [4, 5] as const;
/** Above what a connection has for its CONNECT, and a tick of the timing wheel. */
const silenceMs = 12_000;

describe.runIf(hasProc)('connections that lead to nothing', () => {
  const resources = useResources();

  for (const transport of transports) {
    test(`${transport}: all that are silent or slow are closed within 10 s`, { timeout: 300_000 }, async () => {
      const siege = await Siege.begin(resources);
      await siege.canary.sing(100);
      const before = siege.memory();
      const count = size(250, 5000);
      const attackers: Attacker[] = [];
      const packet = packetsOf(5).connect({ clientId: 'slow' });
      let openedMs = 0;
      await siege.withstand(async () => {
        while (attackers.length < count) attackers.push(...(await siege.attackers(transport, 50)));
        openedMs = performance.now();
        // Every other one begins a CONNECT and goes on too slowly.
        for (let sent = 0; sent < 5; sent++) {
          for (const [index, attacker] of attackers.entries()) {
            if (index % 2 === 1) attacker.send(packet.subarray(sent, sent + 1));
          }
        }
        expect(siege.memory() - before).toBeLessThan(16 + count * 0.02);
        await siege.alone();
      });
      if (isFullSiege) expect(performance.now() - openedMs).toBeLessThan(silenceMs);
    });
  }

  test('handshakes of TLS that stop are closed, and cost nobody else theirs', { timeout: 300_000 }, async () => {
    const siege = await Siege.begin(resources, {
      listeners: [
        ...['listener {tls} 127.0.0.1', 'certfile {dir}/localhost.crt', 'keyfile {dir}/localhost.key'],
        ...['listener {wss} 127.0.0.1', 'protocol websockets'],
        ...['certfile {dir}/localhost.crt', 'keyfile {dir}/localhost.key'],
      ],
      prepare: async ({ dir }) => {
        const authority = await CertificateAuthority.create(dir);
        await authority.issue('server', 'localhost');
      },
    });
    await siege.canary.sing(100);
    const before = siege.memory();
    // Handshake record of TLS 1.2, 512 bytes, of which the beginning of a ClientHello comes
    const beginning = Buffer.from('1603010200010001fc0303', 'hex');
    const sockets: Socket[] = [];
    let closed = 0;
    const openedMs = performance.now();
    await siege.withstand(async () => {
      for (const name of ['tls', 'wss']) {
        for (let n = 0; n < size(100, 1000); n++) {
          const socket = connect(siege.broker.port(name), '127.0.0.1');
          resources.add({ close: () => void socket.destroy() });
          socket.on('error', () => {}).on('close', () => closed++);
          socket.resume();
          // A third says nothing, a third stops in the middle, a third speaks no TLS.
          if (n % 3 === 1) socket.write(beginning);
          if (n % 3 === 2) socket.write(packetsOf(5).connect({ clientId: 'plain' }));
          sockets.push(socket);
        }
      }
      await waitFor('every handshake to be given up', () => closed === sockets.length, 60_000);
    });
    // 64 KiB for a handshake that is under way.
    expect(siege.memory() - before).toBeLessThan(32 + sockets.length / 16);
    if (isFullSiege) expect(performance.now() - openedMs).toBeLessThan(silenceMs);
  });
});

// "secret" with twelve zero bytes of salt and one round of PBKDF2-HMAC-SHA512, made with Python's hashlib
const secret =
  '$7$1$AAAAAAAAAAAAAAAA$ngMlAIpWjm3phrxkG1xGT8fJUIJBShWrEYm7pbBnkGIKxx9SQ8I+9+JzFQNfgJNOsliwQFwo10K4oTe/LI6elw==';
/** As strong as moustique_passwd makes them; no password has this one. */
const strong = `$7$1000$AAAAAAAAAAAAAAAA$${'A'.repeat(86)}==`;

describe.runIf(hasProc)('bad passwords', () => {
  const resources = useResources();

  for (const transport of transports) {
    for (const version of versions) {
      test(`MQTT ${version} over ${transport}: a storm of them disturbs nobody`, { timeout: 300_000 }, async () => {
        const siege = await Siege.begin(resources, {
          config: ['password_file {dir}/passwd'],
          files: { passwd: `canary:${secret}\nvictim:${strong}\n` },
          canary: { username: 'canary', password: 'secret' },
        });
        await siege.canary.sing(100);
        const before = siege.memory();
        siege.canary.p99();
        const connectPacket = packetsOf(version).connect({ clientId: '', username: 'victim', password: 'guess' });
        const total = size(1000, transport === 'tcp' ? 20_000 : 5_000);
        const begunMs = performance.now();
        let started = 0;
        let answers = 0;
        await siege.withstand(async () => {
          const attack = async (): Promise<void> => {
            while (started++ < total) {
              const attacker = await siege.attack(transport);
              attacker.send(connectPacket);
              await attacker.closed();
              if (attacker.receivedBytes > 0) answers++;
            }
          };
          await Promise.all(Array.from({ length: 100 }, attack));
        });
        expect(answers).toBe(total);
        // 10,000 checks may wait, each with its connection; of those of one address ten.
        expect(siege.memory() - before).toBeLessThan(64);
        const p99 = siege.canary.p99();
        if (isFullSiege) {
          const seconds = (performance.now() - begunMs) / 1000;
          console.log(`${total} bad passwords in ${seconds.toFixed(1)} s, canary p99 ${p99.toFixed(0)} ms`);
          expect(p99).toBeLessThan(1000);
        }
      });
    }
  }
});

describe.runIf(hasProc)('a Client Identifier that 200 want', () => {
  const resources = useResources();

  for (const transport of transports) {
    for (const version of versions) {
      test(`MQTT ${version} over ${transport}`, { timeout: 300_000 }, async () => {
        const siege = await Siege.begin(resources);
        const packets = packetsOf(version);
        const begin = [packets.connect({ clientId: 'wanted', cleanStart: false, keepAlive: 0 })];
        begin.push(packets.subscribe({ filters: [{ filter: 'wanted/#', qos: 1 }] }));
        begin.push(packets.publish({ topic: 'wanted/x', payload: 'x'.repeat(100), qos: 1, packetId: 2 }));
        const bytes = Buffer.concat(begin);
        const churn = async (rounds: number): Promise<void> => {
          for (let round = 0; round < rounds; round++) {
            const attackers = await siege.attackers(transport, 200);
            for (const attacker of attackers) attacker.send(bytes);
            // All but the one that came last are closed.
            await waitFor('the others to be closed', () => attackers.filter(({ isClosed }) => !isClosed).length <= 1);
            for (const attacker of attackers) attacker.reset();
            await siege.alone();
          }
        };
        await churn(2);
        const before = siege.memory();
        await siege.withstand(() => churn(size(2, 50)));
        // One session, with a queue of 1,000 messages of 100 bytes.
        expect(siege.memory() - before).toBeLessThan(32);
        // It can be had as before.
        const last = await siege.connect(transport, 'wanted');
        await last.subscribe('marker');
        await siege.canary.sing();
      });
    }
  }
});
