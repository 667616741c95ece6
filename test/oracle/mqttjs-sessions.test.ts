/** Sessions, queues of absent clients, take-over and Wills, as MQTT.js clients see them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { waitFor } from '../harness/wait.ts';
import { describeBrokers } from './brokers.ts';

const never = 0xffff_ffff;

describeBrokers('sessions', ({ connect, fresh, setup }) => {
  const is21 = setup.broker === 'moustique';

  for (const version of [3, 4, 5] as const) {
    /** A session that outlives its connection. */
    const kept = version === 5 ? { clean: false, properties: { sessionExpiryInterval: never } } : { clean: false };
    const name = { 3: 'MQTT 3.1', 4: 'MQTT 3.1.1', 5: 'MQTT 5.0' }[version];

    test(`${name}: what was published while a client was away comes in order, then what is live`, async () => {
      const topic = fresh();
      const clientId = fresh();
      const before = await connect(version, { clientId, ...kept });
      expect(before.connack.sessionPresent).toBe(false);
      await before.mqtt.subscribeAsync(`${topic}/#`, { qos: 2 });
      await before.disconnect();
      const publisher = await connect(version, { clientId: fresh() });

      await publisher.publish(`${topic}/0`, 'lost', { qos: 0 });
      for (let index = 0; index < 100; index++) {
        await publisher.publish(`${topic}/${index % 3}`, `queued ${index}`, { qos: index % 2 === 0 ? 1 : 2 });
      }
      const after = await connect(version, { clientId, ...kept });
      await publisher.publish(`${topic}/live`, 'end', { qos: 2 });

      // MQTT 3.1 has no Session Present.
      if (version !== 3) expect(after.connack.sessionPresent).toBe(true);
      const texts = await after.textsUntil('end');
      const even = Array.from({ length: 50 }, (_, index) => `queued ${2 * index}`);
      const odd = Array.from({ length: 50 }, (_, index) => `queued ${2 * index + 1}`);
      // MQTT.js shows QoS 2 messages at PUBREL, so each QoS is in order by itself.
      expect(texts).toHaveLength(100);
      expect(texts.filter((text) => even.includes(text))).toEqual(even);
      expect(texts.filter((text) => odd.includes(text))).toEqual(odd);
    });

    test(`${name}: a clean client finds nothing of its earlier session`, async () => {
      const topic = fresh();
      const clientId = fresh();
      const before = await connect(version, { clientId, ...kept });
      await before.mqtt.subscribeAsync(topic, { qos: 1 });
      await before.disconnect();
      const publisher = await connect(version, { clientId: fresh() });
      await publisher.publish(topic, 'queued', { qos: 1 });

      const clean = await connect(version, { clientId, clean: true });
      expect(clean.connack.sessionPresent).toBe(false);
      await clean.disconnect();
      const after = await connect(version, { clientId, ...kept });
      expect(after.connack.sessionPresent).toBe(false);
      await after.mqtt.subscribeAsync(`${topic}/marker`, { qos: 1 });
      await publisher.publish(topic, 'nobody', { qos: 1 });
      await publisher.publish(`${topic}/marker`, 'end', { qos: 1 });

      expect(await after.textsUntil('end')).toEqual([]);
    });

    test(`${name}: a subscription that was ended stays ended in the next life of the session`, async () => {
      const topic = fresh();
      const clientId = fresh();
      const before = await connect(version, { clientId, ...kept });
      await before.mqtt.subscribeAsync([`${topic}/a`, `${topic}/b`], { qos: 1 });
      await before.mqtt.unsubscribeAsync(`${topic}/a`);
      await before.disconnect();
      const publisher = await connect(version, { clientId: fresh() });

      await publisher.publish(`${topic}/a`, 'not subscribed', { qos: 1 });
      await publisher.publish(`${topic}/b`, 'end', { qos: 1 });

      const after = await connect(version, { clientId, ...kept });
      expect(await after.textsUntil('end')).toEqual([]);
    });

    test(`${name}: the second client of a name takes the session over, the first is closed`, async () => {
      const topic = fresh();
      const clientId = fresh();
      const first = await connect(version, { clientId, ...kept });
      await first.mqtt.subscribeAsync(topic, { qos: 1 });

      const second = await connect(version, { clientId, ...kept });
      await first.closed();
      const publisher = await connect(version, { clientId: fresh() });
      await publisher.publish(topic, 'to the second', { qos: 1 });

      if (version !== 3) expect(second.connack.sessionPresent).toBe(true);
      expect((await second.next()).text).toBe('to the second');
      expect(first.inbox).toEqual([]);
      // Mosquitto 2.0 only closes; 2.1 tells MQTT 5.0 clients why.
      expect(first.serverDisconnect?.reasonCode).toBe(version === 5 && is21 ? 0x8e : undefined);
    });

    test(`${name}: a Will goes out when its client fails, and not after DISCONNECT`, async () => {
      const topic = fresh();
      const watcher = await connect(version, { clientId: fresh() });
      await watcher.mqtt.subscribeAsync(`${topic}/#`, { qos: 2 });
      const will = (text: string) =>
        ({ topic: `${topic}/${text}`, payload: Buffer.from(text), qos: 2, retain: true }) as const;
      const failing = await connect(version, { clientId: fresh(), will: will('failed') });
      const leaving = await connect(version, { clientId: fresh(), will: will('left') });

      await leaving.disconnect();
      await failing.cutOff();

      const { text, packet } = await watcher.next();
      expect(text).toBe('failed');
      expect(packet).toMatchObject({ qos: 2, retain: false });
      const late = await connect(version, { clientId: fresh() });
      await late.mqtt.subscribeAsync(`${topic}/#`, { qos: 2 });
      expect((await late.next()).packet).toMatchObject({ topic: `${topic}/failed`, retain: true });
      await late.publish(`${topic}/end`, 'end', { qos: 2 });
      expect(await watcher.textsUntil('end')).toEqual([]);
      expect(await late.textsUntil('end')).toEqual([]);
      for (const retained of ['failed', 'left']) await late.publish(`${topic}/${retained}`, '', { retain: true });
    });
  }

  test('MQTT 5.0: a session ends with its connection when no expiry was asked for', async () => {
    const topic = fresh();
    const clientId = fresh();
    const before = await connect(5, { clientId, clean: false });
    await before.mqtt.subscribeAsync(topic, { qos: 1 });
    await before.disconnect();
    const after = await connect(5, { clientId, clean: false });
    expect(after.connack.sessionPresent).toBe(false);
  });

  test('MQTT 5.0: DISCONNECT may shorten the life of a session to nothing', async () => {
    const clientId = fresh();
    const before = await connect(5, { clientId, clean: false, properties: { sessionExpiryInterval: 1000 } });
    await before.disconnect({ reasonCode: 0, properties: { sessionExpiryInterval: 0 } });
    const after = await connect(5, { clientId, clean: false, properties: { sessionExpiryInterval: 1000 } });
    expect(after.connack.sessionPresent).toBe(false);
  });

  test('MQTT 5.0: a session is gone after its expiry, another is there', async () => {
    const topic = fresh();
    const [short, long] = [fresh(), fresh()];
    for (const [clientId, sessionExpiryInterval] of [
      [short, 1],
      [long, 1000],
    ] as const) {
      const client = await connect(5, { clientId, clean: false, properties: { sessionExpiryInterval } });
      await client.mqtt.subscribeAsync(topic, { qos: 1 });
      await client.disconnect();
    }
    // To ask is to come back, which lets the second begin anew; so it is asked at growing distances.
    let seconds = 1;
    await waitFor('the short session to expire', async () => {
      seconds *= 2;
      await sleep(seconds * 1000);
      const probe = await connect(5, { clientId: short, clean: false, properties: { sessionExpiryInterval: 1 } });
      await probe.disconnect();
      return !probe.connack.sessionPresent;
    });
    expect((await connect(5, { clientId: long, clean: false })).connack.sessionPresent).toBe(true);
  });

  test('MQTT 5.0: DISCONNECT 0x04 sends the Will, with its properties', async () => {
    const topic = fresh();
    const watcher = await connect(5, { clientId: fresh() });
    await watcher.mqtt.subscribeAsync(topic, { qos: 1 });
    const client = await connect(5, {
      clientId: fresh(),
      will: {
        topic,
        payload: Buffer.from('bye'),
        qos: 1,
        retain: false,
        properties: {
          contentType: 'text/plain',
          responseTopic: 'answer/here',
          correlationData: Buffer.from([0, 255]),
          payloadFormatIndicator: true,
          messageExpiryInterval: 300,
          userProperties: { who: 'me' },
        },
      },
    });

    await client.disconnect({ reasonCode: 0x04 });

    const { text, packet } = await watcher.next();
    expect(text).toBe('bye');
    expect(packet.properties).toMatchObject({
      contentType: 'text/plain',
      responseTopic: 'answer/here',
      correlationData: Buffer.from([0, 255]),
      payloadFormatIndicator: true,
      userProperties: { who: 'me' },
    });
    expect(packet.properties?.messageExpiryInterval).toBeGreaterThan(200);
  });

  test('MQTT 5.0: a delayed Will waits, and is not sent to a client that is back in time', async () => {
    const topic = fresh();
    const watcher = await connect(5, { clientId: fresh() });
    await watcher.mqtt.subscribeAsync(topic, { qos: 1 });
    const delayed = (text: string, willDelayInterval: number) => ({
      clientId: `${topic}${text}`,
      clean: false,
      properties: { sessionExpiryInterval: 1000 },
      will: { topic, payload: Buffer.from(text), qos: 1, retain: false, properties: { willDelayInterval } } as const,
    });
    const begin = performance.now();
    const returning = await connect(5, delayed('returning', 1000));
    const gone = await connect(5, delayed('gone', 2));
    await returning.cutOff();
    await gone.cutOff();
    const returned = await connect(5, delayed('returning', 1000));
    await returned.disconnect();
    await watcher.publish(topic, 'meanwhile', { qos: 1 });

    expect((await watcher.next()).text).toBe('meanwhile');
    expect((await watcher.next()).text).toBe('gone');
    expect(performance.now() - begin).toBeGreaterThan(1900);
    await watcher.publish(topic, 'end', { qos: 1 });
    expect(await watcher.textsUntil('end')).toEqual([]);
  });

  test('MQTT 5.0: a Will without delay goes out when its client is taken over', async () => {
    const topic = fresh();
    const clientId = fresh();
    const watcher = await connect(5, { clientId: fresh() });
    await watcher.mqtt.subscribeAsync(topic, { qos: 1 });
    const options = {
      clientId,
      clean: true,
      will: { topic, payload: Buffer.from('taken over'), qos: 1, retain: false },
    } as const;
    const first = await connect(5, options);
    const second = await connect(5, options);
    await first.closed();
    expect((await watcher.next()).text).toBe('taken over');
    await second.disconnect();
  });

  if (is21) {
    test('MQTT 5.0: the server names the client that did not name itself', async () => {
      const client = await connect(5, { clientId: '' });
      expect(client.connack.properties?.assignedClientIdentifier).toMatch(/^auto-[0-9A-Fa-f-]{36}$/);
    });
  }
});
