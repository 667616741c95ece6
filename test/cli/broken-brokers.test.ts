import { describe, expect, test } from 'vitest';
import { main as pub } from '../../src/cli/pub.ts';
import { main as rr } from '../../src/cli/rr.ts';
import { main as sub } from '../../src/cli/sub.ts';
import { useResources } from '../harness/resources.ts';
import { type Outcome, runInProcess } from './in-process.ts';
import { answer, answerAndClose, answerLater, type Script, ScriptedBroker } from './scripted-broker.ts';

const resources = useResources();

const PROTOCOL_TEXT = 'Error: A network protocol error occurred when communicating with the broker\n';

async function runPub(script: Script, ...more: string[]): Promise<Outcome> {
  const broker = resources.add(await ScriptedBroker.start(script));
  return runInProcess(pub, ['-h', '127.0.0.1', '-p', String(broker.port), '-t', 'a', '-m', 'x', '-q', '1', ...more]);
}

async function runSub(script: Script, ...more: string[]): Promise<Outcome> {
  const broker = resources.add(await ScriptedBroker.start(script));
  return runInProcess(sub, ['-h', '127.0.0.1', '-p', String(broker.port), '-t', 'a', '-W', '20', ...more]);
}

/** 20 02 00 00: CONNACK of MQTT 3.1.1, accepted. */
const CONNACK = '20 02 00 00';
/** 20 03 00 00 00: the same with an empty Property Length. */
const CONNACK_5 = '20 03 00 00 00';

describe('a broken CONNACK', () => {
  const cases: readonly (readonly [what: string, hex: string, status: number])[] = [
    ['a packet that is none', '00 00', 2],
    ['PUBLISH instead', '30 05 00 01 61 61 62', 2],
    ['SUBACK instead', '90 03 00 01 00', 2],
    ['PINGRESP instead', 'D0 00', 2],
    ['too short', '20 01 00', 2],
    ['too long', '20 03 00 00 00', 2],
    ['reserved flags', '20 02 02 00', 2],
    ['a Remaining Length of five bytes', '20 FF FF FF FF 01', 2],
    ['a second CONNACK', `${CONNACK} ${CONNACK}`, 2],
    ['text', '48 54 54 50 2F 31 2E 31 20 34 30 30', 2],
  ];
  for (const [what, hex, status] of cases) {
    test(`${what} ends pub with status ${status} and says what it was`, async () => {
      const outcome = await runPub(answer(hex));
      expect(outcome.stderr).toContain(PROTOCOL_TEXT);
      expect(outcome.stderr).toMatch(/\n {7}\(the broker broke the protocol: .+\)\n$/);
      expect(outcome.status).toBe(status);
      expect(await runSub(answer(hex))).toMatchObject({ status });
    });
  }

  const cases5: readonly (readonly [what: string, hex: string])[] = [
    ['the form of MQTT 3.1.1', CONNACK],
    ['an unknown reason code', '20 03 00 7F 00'],
    ['a property twice', '20 09 00 00 06 21 00 14 21 00 14'],
    ['a property that does not belong there', '20 05 00 00 02 01 01'],
    ['Receive Maximum 0', '20 06 00 00 03 21 00 00'],
    ['properties that run past the end', '20 05 00 00 07 21 00'],
    ['Session Present with an error', '20 03 03 87 00'],
  ];
  for (const [what, hex] of cases5) {
    test(`MQTT 5.0: ${what} ends pub with status 2`, async () => {
      const outcome = await runPub(answer(hex), '-V', '5');
      expect(outcome.stderr).toContain(PROTOCOL_TEXT);
      expect(outcome.status).toBe(2);
    });
  }

  test('a refusal without a known code is still a refusal', async () => {
    // 07 is reserved in MQTT 3.1.1.
    const outcome = await runPub(answerAndClose('20 02 00 07'));
    expect(outcome.stderr).toBe(
      'Connection error: Connection Refused: unknown reason\nError: The connection was refused\n',
    );
    expect(outcome.status).toBe(7);
  });

  test('a broker that knows only MQTT 3.1.1 refuses MQTT 5.0', async () => {
    const outcome = await runPub(answerAndClose('20 02 00 01'), '-V', '5');
    expect(outcome.stderr).toMatch(
      /^Connection error: Unsupported Protocol Version\. Try connecting to an MQTT v5 broker/,
    );
    expect(outcome.status).toBe(0x84);
  });
});

describe('a broken session', () => {
  const forSub: readonly (readonly [what: string, hex: string])[] = [
    ['SUBACK without codes', '90 02 00 01'],
    ['SUBACK with too many codes', '90 04 00 01 00 00'],
    ['SUBACK for an identifier that was not used', '90 03 00 07 00'],
    ['SUBACK with an unknown code', '90 03 00 01 05'],
    ['UNSUBACK instead', 'B0 02 00 01'],
    ['PUBLISH with QoS 3', '36 06 00 01 61 00 01 78'],
    ['PUBLISH with an empty topic', '30 03 00 00 78'],
    ['PUBLISH with a wildcard', '30 04 00 01 23 78'],
    ['PUBLISH with bad UTF-8', '30 05 00 02 C3 28 78'],
    ['PUBLISH with a topic that runs past the end', '30 03 00 09 61'],
    ['PUBLISH with Packet Identifier 0', '32 06 00 01 61 00 00 78'],
    ['CONNECT from the broker', '10 0C 00 04 4D 51 54 54 04 02 00 3C 00 00'],
    ['SUBSCRIBE from the broker', '82 06 00 01 00 01 61 00'],
    ['PINGREQ from the broker', 'C0 00'],
    ['a packet of type 15', 'F0 00'],
    ['DISCONNECT in MQTT 3.1.1', 'E0 00'],
  ];
  for (const [what, hex] of forSub) {
    test(`${what} ends sub with status 2`, async () => {
      const outcome = await runSub(answerLater(CONNACK, hex));
      expect(outcome.stderr).toContain(PROTOCOL_TEXT);
      expect(outcome.status).toBe(2);
    });
  }

  test('what is right is taken', async () => {
    // SUBACK granting QoS 0, then PUBLISH a = x.
    const outcome = await runSub(answerLater(CONNACK, '90 03 00 01 00 30 04 00 01 61 78'), '-v', '-C', '1');
    expect(outcome).toMatchObject({ status: 0, stdout: 'a x\n', stderr: '' });
  });

  const forPub: readonly (readonly [what: string, hex: string, status: number])[] = [
    ['PUBREC for QoS 1', '50 02 00 01', 2],
    ['PUBACK that is cut short', '40 01 00', 2],
    ['PUBACK that is too long', '40 03 00 01 00', 2],
  ];
  for (const [what, hex, status] of forPub) {
    test(`${what} ends pub with status ${status}`, async () => {
      const outcome = await runPub(answerLater(CONNACK, hex));
      expect(outcome.stderr).toContain(PROTOCOL_TEXT);
      expect(outcome.status).toBe(status);
    });
  }

  test('acknowledgements that nobody waits for are ignored', async () => {
    // PUBACK 9, PUBCOMP 9, then the right one.
    const outcome = await runPub(answerLater(CONNACK, '40 02 00 09 70 02 00 09 40 02 00 01'));
    expect(outcome).toMatchObject({ status: 0, stderr: '' });
  });

  test('MQTT 5.0: a refusal in PUBACK is a warning', async () => {
    // PUBACK 1, 0x97 Quota exceeded.
    const outcome = await runPub(answerLater(CONNACK_5, '40 03 00 01 97'), '-V', '5');
    expect(outcome).toMatchObject({ status: 0, stderr: 'Warning: Publish 1 failed: Quota exceeded.\n' });
  });

  test('MQTT 5.0: DISCONNECT from the broker is named', async () => {
    // 0x8B Server shutting down.
    const outcome = await runPub(answer(`${CONNACK_5} E0 01 8B`), '-V', '5');
    expect(outcome.stderr).toBe('Error: The connection was lost\n       (the broker said: Server shutting down)\n');
    expect(outcome.status).toBe(7);
  });

  test('MQTT 5.0: limits of the broker are kept and named', async () => {
    // Maximum Packet Size 8, Maximum QoS 0, Retain Available 0
    const small = await runPub(answer('20 08 00 00 05 27 00 00 00 08'), '-V', '5');
    expect(small.stderr).toMatch(/^Error: Packet larger than supported by the server\n/);
    expect(small.status).toBe(25);
    const qos = await runPub(answer('20 05 00 00 02 24 00'), '-V', '5');
    expect(qos).toMatchObject({ stderr: 'Error: Requested QoS not supported on server\n', status: 24 });
    const retain = await runPub(answer('20 05 00 00 02 25 00'), '-V', '5', '-r');
    expect(retain.stderr).toContain('the broker does not support retained messages');
    expect(retain.status).toBe(10);
  });
});

describe('a connection that breaks', () => {
  // SUBACK (its identifier is filled in), PUBLISH a=x of QoS 1, PUBLISH b=y of QoS 2, its PUBREL: both retained; and as
  // an end mark, not retained, PUBLISH c=z.
  const SUBACK_AND_MESSAGES =
    '90 03 00 00 00  33 06 00 01 61 00 05 78  35 06 00 01 62 00 06 79  62 02 00 06  30 04 00 01 63 7A';
  const stream = Buffer.from(`${CONNACK}${SUBACK_AND_MESSAGES}`.replaceAll(' ', ''), 'hex');

  /** Sends the stream up to `length` bytes, then closes. */
  function cutAfter(length: number): Script {
    return (socket) => {
      socket.once('data', () => {
        socket.write(stream.subarray(0, Math.min(length, 4)));
        if (length <= 4) socket.end();
        socket.once('data', (subscribe) => {
          const rest = Buffer.from(stream.subarray(4, length));
          subscribe.copy(rest, 2, 2, 4); // the Packet Identifier of SUBSCRIBE
          socket.write(rest);
          if (length < stream.length) socket.end();
        });
      });
    };
  }

  test('at every byte sub starts again and loses nothing', async () => {
    const runs = Array.from({ length: stream.length }, async (_, length) => {
      let connections = 0;
      const broker = await ScriptedBroker.start((socket, received) => {
        cutAfter(connections++ === 0 ? length : stream.length)(socket, received);
      });
      resources.add(broker);
      const place = ['-h', '127.0.0.1', '-p', String(broker.port)];
      const outcome = await runInProcess(sub, [
        ...place,
        '-t',
        'a',
        '-q',
        '2',
        '-W',
        '20',
        '--retained-only',
        '-F',
        '%t=%p',
      ]);
      return { length, outcome, connections };
    });
    for (const { length, outcome, connections } of await Promise.all(runs)) {
      // The broker has no session, so what was complete comes again.
      expect(outcome.stdout, `cut after ${length} bytes`).toMatch(/^(?:a=x\n(?:b=y\n)?)?a=x\nb=y\n$/);
      expect(outcome.status, `cut after ${length} bytes`).toBe(0);
      expect(connections).toBe(2);
    }
  });

  test('before CONNACK pub says that the connection was lost', async () => {
    for (const part of ['', '20', '20 02', '20 02 00']) {
      const outcome = await runPub(answerAndClose(part));
      expect(outcome).toMatchObject({ status: 7, stderr: 'Error: The connection was lost\n' });
    }
  });

  test('after CONNACK pub says that the connection was lost', async () => {
    for (const part of ['', '40', '40 02', '40 02 00']) {
      const outcome = await runPub(answerAndClose(`${CONNACK} ${part}`));
      expect(outcome).toMatchObject({ status: 7, stderr: 'Error: The connection was lost\n' });
    }
  });

  test('a reset is a lost connection too', async () => {
    const outcome = await runPub((socket) => socket.once('data', () => socket.resetAndDestroy()));
    expect(outcome).toMatchObject({ status: 7, stderr: 'Error: The connection was lost\n' });
  });
});

describe('a broker that says nothing', () => {
  test('ends sub and rr with status 27 when their time is over', async () => {
    const broker = resources.add(await ScriptedBroker.start(() => {}));
    const place = ['-h', '127.0.0.1', '-p', String(broker.port), '-W', '1'];
    expect(await runInProcess(sub, [...place, '-t', 'a'])).toMatchObject({ status: 27, stderr: 'Timed out\n' });
    expect(await runInProcess(rr, [...place, '-t', 'a', '-e', 'b', '-m', 'x'])).toMatchObject({
      status: 27,
      stderr: 'Timed out\n',
    });
  });

  test('ends pub when the keep alive is over', async () => {
    const outcome = await runPub(() => {}, '-k', '5');
    expect(outcome).toMatchObject({ status: 27, stderr: 'Error: Timeout\n       (no answer from the broker)\n' });
  });

  test('to PINGREQ ends pub when the keep alive is over', async () => {
    // CONNACK, and neither PUBACK nor PINGRESP.
    const outcome = await runPub(answer(CONNACK), '-k', '5');
    expect(outcome).toMatchObject({ status: 19, stderr: 'Error: Keepalive exceeded\n       (no answer to PINGREQ)\n' });
  });
});

describe('what a broker is told', () => {
  /** The CONNECT that a broker gets, in hexadecimal. */
  async function connectOf(...words: string[]): Promise<string> {
    const broker = resources.add(await ScriptedBroker.start(answerAndClose('20 03 00 87 00')));
    await runInProcess(sub, ['-h', '127.0.0.1', '-p', String(broker.port), '-V', '5', '-t', 'a', ...words]);
    return Buffer.concat(broker.received).toString('hex');
  }

  test('with -C, MQTT 5.0: Receive Maximum, so that no more is sent than is wanted', async () => {
    // 10, Remaining Length, "MQTT", 05, flags 02, Keep Alive 60, properties, empty Client Identifier
    expect(await connectOf('-C', '1')).toBe('101000044d5154540502003c032100010000');
    expect(await connectOf('-C', '20')).toBe('100d00044d5154540502003c000000');
    expect(await connectOf('-C', '1', '-D', 'connect', 'receive-maximum', '9')).toBe(
      '101000044d5154540502003c032100090000',
    );
  });
});
