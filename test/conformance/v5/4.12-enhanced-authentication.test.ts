import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type {
  AuthenticationExchange,
  AuthenticationMethod,
  AuthenticationStep,
} from '../../../src/contracts/authenticator.ts';
import { useResources } from '../../harness/resources.ts';
import { type ConformanceBroker, startBroker } from '../wire/broker.ts';
import { packet, u8 } from '../wire/bytes.ts';
import type { RawClient } from '../wire/client.ts';
import { type ConnectFields, v5 } from '../wire/packets.ts';
import { property, valueOf } from '../wire/properties.ts';

const resources = useResources();

const method = property.authenticationMethod('quiz');
const data = (text: string): Buffer => property.authenticationData(text);
const refusedStep: AuthenticationStep = { kind: 'refused', reasonCode: 0x87 };

/** Asks "1?" and, after the answer "1", "2?"; whoever answers "2" is in as "quizzed". "at once" needs no question. */
class Quiz implements AuthenticationExchange {
  #asked = 0;

  start(given: Buffer | null): AuthenticationStep {
    if (given?.toString() === 'at once') return { kind: 'accepted', data: null };
    if (given?.toString() === 'never') return refusedStep;
    return this.#ask();
  }

  continue(given: Buffer | null): AuthenticationStep {
    if (given?.toString() !== String(this.#asked)) return refusedStep;
    if (this.#asked === 1) return this.#ask();
    return { kind: 'accepted', username: 'quizzed', data: Buffer.from('well done') };
  }

  #ask(): AuthenticationStep {
    this.#asked++;
    return { kind: 'continue', data: Buffer.from(`${this.#asked}?`), reason: 'think!' };
  }
}

const quiz: AuthenticationMethod = () => new Quiz();

/** The same, but every answer takes a while. */
const slowQuiz: AuthenticationMethod = () => {
  const exchange = new Quiz();
  return {
    start: async (given) => {
      await turn();
      return exchange.start(given);
    },
    continue: async (given) => {
      await turn();
      return exchange.continue(given);
    },
  };
};

const speeds = [
  ['at once', quiz],
  ['later', slowQuiz],
] as const;

/** A Network Connection whose CONNECT names the method. */
async function begin(broker: ConformanceBroker, fields: ConnectFields = {}): Promise<RawClient> {
  const client = await broker.open();
  client.send(v5.connect({ clientId: 'c', properties: [method], ...fields }));
  return client;
}

function auth(reasonCode: number, ...properties: readonly Buffer[]): Buffer {
  return v5.auth({ reasonCode, properties });
}

/** A client that was let in by both questions. */
async function pass(broker: ConformanceBroker, fields: ConnectFields = {}): Promise<RawClient> {
  const client = await begin(broker, fields);
  await client.expectPacket('auth');
  client.send(auth(0x18, method, data('1')));
  await client.expectPacket('auth');
  client.send(auth(0x18, method, data('2')));
  expect((await client.expectPacket('connack')).reasonCode).toBe(0);
  return client;
}

for (const [when, quizOf] of speeds) {
  const start = (): Promise<ConformanceBroker> => startBroker(resources, { authenticationMethods: { quiz: quizOf } });

  test(`v5 [MQTT-4.12.0-2] [MQTT-4.12.0-3] [MQTT-4.12.0-5] questions and answers are AUTH 0x18 with the method, then CONNACK has the method too, answered ${when}`, async () => {
    const broker = await start();
    const client = await begin(broker);
    await client.expect(`
      F0 17 18           -- AUTH, Remaining Length 23, Continue authentication
      15                 -- Property Length 21
      15 00 04 "quiz"    -- Authentication Method
      16 00 02 "1?"      -- Authentication Data
      1F 00 06 "think!"  -- Reason String
    `);
    client.send(auth(0x18, method, data('1')));
    expect(valueOf(await client.expectPacket('auth'), 'authenticationData')).toEqual(Buffer.from('2?'));
    client.send(auth(0x18, method, data('2')));
    const connack = await client.expectPacket('connack');
    expect(connack.reasonCode).toBe(0);
    expect(valueOf(connack, 'authenticationMethod')).toBe('quiz');
    expect(valueOf(connack, 'authenticationData')).toEqual(Buffer.from('well done'));
    expect(broker.running.clients).toMatchObject([{ clientId: 'c', username: 'quizzed' }]);
    await client.subscribe('a');
    client.send(v5.publish({ topic: 'a' }));
    await client.expectPublish({ topic: 'a' });
  });

  test(`v5 [MQTT-4.12.0-4] it may be refused at every step: CONNACK 0x87, closed; no session, no Will, nobody disturbed, answered ${when}`, async () => {
    const broker = await start();
    const watcher = await broker.connect({ clientId: 'watcher' });
    await watcher.subscribe('will');
    const owner = await broker.connect({ clientId: 'c' });
    const will = { topic: 'will' };
    const first = await begin(broker, { properties: [method, data('never')], will });
    await first.expectRefused(0x87);
    const second = await begin(broker, { will });
    await second.expectPacket('auth');
    second.send(auth(0x18, method, data('wrong')), v5.publish({ topic: 'will', payload: 'behind' }));
    await second.expectRefused(0x87);
    await broker.settle();
    await owner.expectNothing(); // still connected
    await watcher.expectNothing();
    expect(broker.running.broker.gauges().clientsTotal).toBe(2);
  });

  test(`v5 [MQTT-4.12.1-1] the client may authenticate again: AUTH 0x19, questions, AUTH 0x00, while messages flow, answered ${when}`, async () => {
    const broker = await start();
    const client = await pass(broker);
    await client.subscribe('a');
    for (let round = 0; round < 2; round++) {
      client.send(auth(0x19, method));
      expect((await client.expectPacket('auth')).reasonCode).toBe(0x18);
      client.send(v5.publish({ topic: 'a', payload: 'between' }));
      await client.expectPublish({ payload: 'between' });
      client.send(auth(0x18, method, data('1')));
      expect((await client.expectPacket('auth')).reasonCode).toBe(0x18);
      client.send(auth(0x18, method, data('2')));
      await client.expect('F0 15 00 13 15 00 04 "quiz" 16 00 09 "well done"');
    }
    client.send(v5.publish({ topic: 'a', payload: 'after' }));
    await client.expectPublish({ payload: 'after' });
  });

  test(`v5 [MQTT-4.12.1-2] who fails to authenticate again gets DISCONNECT 0x87 and is closed, and the Will goes out, answered ${when}`, async () => {
    const broker = await start();
    const watcher = await broker.connect({ clientId: 'watcher' });
    await watcher.subscribe('will');
    const client = await pass(broker, { will: { topic: 'will', payload: 'gone' } });
    client.send(auth(0x19, method, data('never')));
    await client.expectError(0x87);
    await watcher.expectPublish({ payload: 'gone' });
  });

  test(`v5 [MQTT-4.12.1-2] also when it is somebody else now, answered ${when}`, async () => {
    const broker = await start();
    const client = await pass(broker);
    client.send(auth(0x19, method, data('at once'))); // proves the user name of the CONNECT, which has none
    await client.expectError(0x87);
  });
}

test('v5 [MQTT-4.12.0-1] a method that there is not: CONNACK 0x8C, closed', async () => {
  for (const authenticationMethods of [undefined, { quiz }]) {
    const broker = await startBroker(resources, authenticationMethods === undefined ? {} : { authenticationMethods });
    for (const name of ['no-such', 'QUIZ', '', 'SCRAM-SHA-256']) {
      const client = await begin(broker, { properties: [property.authenticationMethod(name)] });
      await client.expectRefused(0x8c);
    }
    await (await broker.connect()).expectNothing();
  }
});

test('v5 [MQTT-4.12.0-5] a method may need no question: CONNACK at once, with the method, without data that there is not', async () => {
  const broker = await startBroker(resources, { authenticationMethods: { quiz } });
  const client = await begin(broker, { properties: [method, data('at once')], username: 'anne' });
  const { properties } = await client.expectPacket('connack');
  expect(properties.filter(([name]) => name.startsWith('auth'))).toEqual([['authenticationMethod', 'quiz']]);
  expect(broker.running.clients).toMatchObject([{ username: 'anne' }]);
});

test('v5 [MQTT-4.12.0-6] who names no method sees no AUTH and no method, though the broker has some', async () => {
  const broker = await startBroker(resources, { authenticationMethods: { quiz } });
  for (const fields of [{}, { username: 'anne', password: 'secret' }]) {
    const client = await broker.connect(fields);
    expect(valueOf(client.connack, 'authenticationMethod')).toBeUndefined();
    expect(valueOf(client.connack, 'authenticationData')).toBeUndefined();
    await client.expectNothing();
  }
});

test('v5 [MQTT-4.12.0-7] AUTH from a client whose CONNECT named no method is a protocol error', async () => {
  const broker = await startBroker(resources, { authenticationMethods: { quiz } });
  for (const reasonCode of [0x18, 0x19]) {
    const client = await broker.connect();
    client.send(auth(reasonCode, method));
    await client.expectError(0x82);
  }
});

const wrongAnswers: readonly (readonly [string, Buffer, number])[] = [
  ['another method', auth(0x18, property.authenticationMethod('other'), data('1')), 0x82],
  ['the method in capitals', auth(0x18, property.authenticationMethod('Quiz'), data('1')), 0x82],
  ['no method', auth(0x18, data('1')), 0x82],
  ['no properties', packet(0xf0, u8(0x18)), 0x82],
  ['nothing at all', packet(0xf0), 0x82],
  ['the method twice', auth(0x18, method, method), 0x82],
  ['data twice', auth(0x18, method, data('1'), data('1')), 0x82],
  ['a property of other packets', auth(0x18, method, property.receiveMaximum(1)), 0x81],
  ["Reason Code 0x00, which is the broker's", auth(0x00, method, data('1')), 0x82],
  ['Reason Code 0x05', auth(0x05, method, data('1')), 0x82],
  ['Reason Code 0x87', auth(0x87, method, data('1')), 0x82],
  ['a byte left over', Buffer.from('f00a18071500047175697a00ff', 'hex'), 0x81],
];
for (const [what, answer, reasonCode] of wrongAnswers) {
  test(`v5 [MQTT-3.15.2-1] [MQTT-4.12.0-3] [MQTT-4.12.0-5] [U5-14] an answer with ${what}: refused by CONNACK before acceptance, by DISCONNECT later`, async () => {
    const broker = await startBroker(resources, { authenticationMethods: { quiz } });
    const client = await begin(broker);
    await client.expectPacket('auth');
    client.send(answer);
    await client.expectRefused(reasonCode);
    const later = await pass(broker);
    later.send(auth(0x19, method));
    await later.expectPacket('auth');
    later.send(answer);
    await later.expectError(reasonCode);
  });
}

test('v5 [MQTT-3.15.1-1] AUTH with any flag is malformed: CONNACK 0x81 before acceptance, DISCONNECT 0x81 later', async () => {
  const broker = await startBroker(resources, { authenticationMethods: { quiz } });
  const right = auth(0x18, method, data('1'));
  for (let flags = 1; flags < 16; flags++) {
    const wrong = Buffer.concat([u8(0xf0 | flags), right.subarray(1)]);
    const client = await begin(broker);
    await client.expectPacket('auth');
    client.send(wrong);
    await client.expectRefused(0x81);
    const later = await pass(broker);
    later.send(wrong);
    await later.expectError(0x81);
  }
});

test('v5 [MQTT-3.15.2-1] [MQTT-4.12.1-1] AUTH 0x19 before CONNACK or during another exchange, and 0x18 without one, are protocol errors', async () => {
  const broker = await startBroker(resources, { authenticationMethods: { quiz } });
  const early = await begin(broker);
  await early.expectPacket('auth');
  early.send(auth(0x19, method));
  await early.expectRefused(0x82);
  const twice = await pass(broker);
  twice.send(auth(0x19, method));
  await twice.expectPacket('auth');
  twice.send(auth(0x19, method));
  await twice.expectError(0x82);
  const unasked = await pass(broker);
  unasked.send(auth(0x18, method, data('1')));
  await unasked.expectError(0x82);
});

test('v5 [MQTT-4.12.0-3] during a re-authentication, an answer before the question is a protocol error', async () => {
  let answer: (step: AuthenticationStep) => void = () => {};
  const asked = new Promise<AuthenticationStep>((resolve) => (answer = resolve));
  let exchanges = 0;
  const broker = await startBroker(resources, {
    authenticationMethods: {
      quiz: () => ({
        start: () => (exchanges++ === 0 ? { kind: 'accepted', data: null } : asked),
        continue: () => refusedStep,
      }),
    },
  });
  const client = await begin(broker);
  await client.expectPacket('connack');
  client.send(auth(0x19, method));
  await client.expectNothing(); // PINGREQ is answered while the method thinks
  client.send(auth(0x18, method, data('1')));
  await client.expectError(0x82);
  answer({ kind: 'accepted', data: null }); // and now it does not matter
  await broker.settle();
  await (await broker.connect()).expectNothing();
});

test('v5 [MQTT-3.1.2-30] before CONNACK only AUTH and DISCONNECT may come: anything else is refused by CONNACK 0x82', async () => {
  const broker = await startBroker(resources, { authenticationMethods: { quiz } });
  const others = [
    v5.publish({ topic: 'a', retain: true }),
    v5.subscribe({ filters: ['#'] }),
    v5.pingreq(),
    v5.puback(),
    v5.connect(),
  ];
  for (const other of others) {
    const client = await begin(broker);
    await client.expectPacket('auth');
    client.send(other);
    await client.expectRefused(0x82);
  }
  const quitter = await begin(broker);
  await quitter.expectPacket('auth');
  quitter.send('E0 00');
  await quitter.expectClosed();
  expect(broker.running.broker.gauges()).toMatchObject({ clientsTotal: 0, retainedCount: 0 });
});

test('v5 [MQTT-3.1.2-30] what is pipelined behind the last answer is done after CONNACK', async () => {
  for (const [, quizOf] of speeds) {
    const broker = await startBroker(resources, { authenticationMethods: { quiz: quizOf } });
    const client = await broker.open();
    client.send(
      v5.connect({ properties: [method] }),
      auth(0x18, method, data('1')),
      auth(0x18, method, data('2')),
      v5.subscribe({ filters: ['a'] }),
      v5.publish({ topic: 'a', payload: 'x' }),
    );
    const types = [];
    for (let count = 0; count < 5; count++) types.push((await client.next()).type);
    expect(types).toEqual(['auth', 'auth', 'connack', 'suback', 'publish']);
  }
});

test('v5 [MQTT-4.12.0-4] an exchange has ten seconds in all, however many answers come', async () => {
  const forever: AuthenticationMethod = () => ({
    start: () => ({ kind: 'continue', data: null }),
    continue: () => ({ kind: 'continue', data: null }),
  });
  const broker = await startBroker(resources, { authenticationMethods: { quiz: forever } });
  const client = await begin(broker);
  for (let second = 0; second < 4; second++) {
    await client.expectPacket('auth');
    client.send(auth(0x18, method));
    await broker.advance(2);
  }
  await client.expectPacket('auth');
  await broker.advance(4);
  await client.expectClosed();
});

test('v5 [MQTT-4.12.0-4] an exchange has at most 16 packets of the client: CONNACK 0x97', async () => {
  const forever: AuthenticationMethod = () => ({
    start: () => ({ kind: 'continue', data: null }),
    continue: () => ({ kind: 'continue', data: null }),
  });
  const broker = await startBroker(resources, { authenticationMethods: { quiz: forever } });
  const client = await begin(broker);
  for (let count = 1; count < 16; count++) {
    await client.expectPacket('auth');
    client.send(auth(0x18, method));
  }
  await client.expectPacket('auth');
  client.send(auth(0x18, method));
  await client.expectRefused(0x97);
});

test('v5 [MQTT-4.12.0-4] a method that fails refuses: CONNACK 0x80, and the log tells why', async () => {
  const failing: Readonly<Record<string, AuthenticationMethod>> = {
    throws: () => {
      throw new Error('no database');
    },
    rejects: () => ({ start: () => Promise.reject(new Error('no database')), continue: () => refusedStep }),
  };
  const broker = await startBroker(resources, { authenticationMethods: failing });
  for (const name of ['throws', 'rejects']) {
    const client = await begin(broker, { properties: [property.authenticationMethod(name)] });
    await client.expectRefused(0x80);
  }
  expect(broker.log.filter((line) => line.includes('no database'))).toHaveLength(2);
});

test('v5 [MQTT-4.12.0-4] a client that goes during the exchange leaves nothing behind', async () => {
  const broker = await startBroker(resources, { authenticationMethods: { quiz: slowQuiz } });
  const client = await begin(broker);
  await client.expectPacket('auth');
  client.send(auth(0x18, method, data('1')));
  await broker.kill(client);
  expect(broker.running.broker.gauges()).toMatchObject({ clientsTotal: 0 });
  await pass(broker);
});

test('v5 [MQTT-3.15.2-2] the Reason String of an AUTH is left out where the packet would be too large, or is not wanted', async () => {
  const broker = await startBroker(resources, { authenticationMethods: { quiz } });
  const reasonIn = async (...properties: readonly Buffer[]): Promise<unknown> => {
    const client = await begin(broker, { properties: [method, ...properties] });
    const question = await client.expectPacket('auth');
    expect(valueOf(question, 'authenticationData')).toEqual(Buffer.from('1?'));
    return valueOf(question, 'reasonString');
  };
  expect(await reasonIn()).toBe('think!');
  expect(await reasonIn(property.maximumPacketSize(25))).toBe('think!');
  expect(await reasonIn(property.maximumPacketSize(24))).toBeUndefined();
  expect(await reasonIn(property.maximumPacketSize(16))).toBeUndefined();
  expect(await reasonIn(property.requestProblemInformation(0))).toBeUndefined();
});

test('v5 [MQTT-3.15.2-2] an AUTH that is too large without it cannot be sent: CONNACK 0x95, or DISCONNECT 0x95 later', async () => {
  let exchanges = 0;
  const long: AuthenticationMethod = () => ({
    start: () => (exchanges++ === 1 ? { kind: 'accepted', data: null } : { kind: 'continue', data: Buffer.alloc(100) }),
    continue: () => refusedStep,
  });
  const broker = await startBroker(resources, { authenticationMethods: { quiz: long } });
  const properties = [method, property.maximumPacketSize(50)];
  const client = await begin(broker, { properties });
  await client.expectRefused(0x95);
  const later = await begin(broker, { properties });
  await later.expectPacket('connack');
  later.send(auth(0x19, method));
  await later.expectError(0x95);
});

test('v5 [MQTT-3.15.2-3] AUTH never has User Properties; those of a client are taken', async () => {
  const broker = await startBroker(resources, { authenticationMethods: { quiz } });
  const client = await begin(broker);
  const question = await client.expectPacket('auth');
  expect(question.properties.map(([name]) => name)).toEqual([
    'authenticationMethod',
    'authenticationData',
    'reasonString',
  ]);
  const mine = [property.userProperty(['a', '1']), property.userProperty(['a', '2']), property.reasonString('so')];
  client.send(auth(0x18, method, data('1'), ...mine));
  await client.expectPacket('auth');
});

test('v5 [MQTT-3.1.2-28] Response Information is told to those who ask for it, where there is some', async () => {
  const broker = await startBroker(resources, { options: { responseInformation: 'answers/%u/%c/' } });
  const asking = { clientId: 'c', username: 'anne', properties: [property.requestResponseInformation(1)] };
  const client = await broker.connect(asking);
  expect(valueOf(client.connack, 'responseInformation')).toBe('answers/anne/c/');
  for (const properties of [[], [property.requestResponseInformation(0)]]) {
    const other = await broker.connect({ ...asking, properties });
    expect(valueOf(other.connack, 'responseInformation')).toBeUndefined();
  }
  const longest = await broker.connect({ ...asking, clientId: 'c'.repeat(65_535) });
  expect(valueOf(longest.connack, 'responseInformation')).toBeUndefined(); // more than a string can hold
  const plain = await startBroker(resources);
  expect(valueOf((await plain.connect(asking)).connack, 'responseInformation')).toBeUndefined();
});
