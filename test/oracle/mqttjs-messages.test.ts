/** Retained messages, subscription options and the properties of MQTT 5.0, from MQTT.js client to MQTT.js client. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { describeBrokers } from './brokers.ts';

const names = { 3: 'MQTT 3.1', 4: 'MQTT 3.1.1', 5: 'MQTT 5.0' } as const;

describeBrokers('retained messages', ({ connect, fresh }) => {
  for (const version of [3, 4, 5] as const) {
    test(`${names[version]}: set, replaced, cleared`, async () => {
      const topic = fresh();
      const client = await connect(version, { clientId: fresh() });
      await client.publish(`${topic}/kept`, 'first', { qos: 1, retain: true });
      await client.publish(`${topic}/kept`, 'second', { qos: 1, retain: true });
      await client.publish(`${topic}/cleared`, 'first', { qos: 1, retain: true });
      await client.publish(`${topic}/cleared`, '', { qos: 1, retain: true });
      await client.publish(`${topic}/passing`, 'not kept', { qos: 1 });

      const late = await connect(version, { clientId: fresh() });
      await late.mqtt.subscribeAsync(`${topic}/#`, { qos: 1 });
      await client.publish(`${topic}/live`, 'live', { qos: 1, retain: true });
      await client.publish(`${topic}/live`, '', { qos: 1, retain: true });
      await client.publish(`${topic}/end`, 'end', { qos: 1 });

      const arrived = [await late.next(), await late.next(), await late.next()];
      expect(arrived.map(({ text, packet }) => [text, packet.retain])).toEqual([
        ['second', true],
        ['live', false],
        // A message that clears is a message all the same.
        ['', false],
      ]);
      expect(await late.textsUntil('end')).toEqual([]);
      await client.publish(`${topic}/kept`, '', { retain: true });
    });

    test(`${names[version]}: come at the lower QoS of message and subscription`, async () => {
      const topic = fresh();
      const client = await connect(version, { clientId: fresh() });
      for (const qos of [0, 1, 2] as const) await client.publish(`${topic}/${qos}`, `${qos}`, { qos, retain: true });

      for (const granted of [0, 1, 2] as const) {
        const late = await connect(version, { clientId: fresh() });
        await late.mqtt.subscribeAsync(`${topic}/+`, { qos: granted });
        const arrived = [await late.next(), await late.next(), await late.next()];
        const found = Object.fromEntries(arrived.map(({ text, packet }) => [text, packet.qos]));
        expect(found).toEqual({ 0: 0, 1: Math.min(1, granted), 2: Math.min(2, granted) });
      }
      for (const qos of [0, 1, 2]) await client.publish(`${topic}/${qos}`, '', { retain: true });
    });
  }

  test('MQTT 3.1.1: come again with every SUBSCRIBE', async () => {
    const topic = fresh();
    const client = await connect(4, { clientId: fresh() });
    await client.publish(topic, 'kept', { qos: 1, retain: true });
    await client.mqtt.subscribeAsync(topic, { qos: 1 });
    await client.mqtt.subscribeAsync(topic, { qos: 1 });
    await client.publish(topic, 'end', { qos: 1 });
    expect(await client.textsUntil('end')).toEqual(['kept', 'kept']);
  });

  test('MQTT 5.0: Retain Handling 0 always, 1 for a new subscription, 2 never', async () => {
    const topic = fresh();
    const client = await connect(5, { clientId: fresh() });
    await client.publish(topic, 'kept', { qos: 1, retain: true });
    for (const [rh, wanted] of [
      [0, ['kept', 'kept']],
      [1, ['kept']],
      [2, []],
    ] as const) {
      const late = await connect(5, { clientId: fresh() });
      await late.mqtt.subscribeAsync(topic, { qos: 1, rh });
      await late.mqtt.subscribeAsync(topic, { qos: 1, rh });
      await client.publish(topic, `end ${rh}`, { qos: 1 });
      expect(await late.textsUntil(`end ${rh}`)).toEqual(wanted);
    }
    await client.publish(topic, '', { retain: true });
  });

  test('MQTT 5.0: keep their properties; their expiry counts down', async () => {
    const topic = fresh();
    const client = await connect(5, { clientId: fresh() });
    await client.publish(`${topic}/long`, 'long', {
      qos: 1,
      retain: true,
      properties: { contentType: 'text/plain', userProperties: { a: ['1', '2'] }, messageExpiryInterval: 1000 },
    });
    await client.publish(`${topic}/short`, 'short', {
      qos: 1,
      retain: true,
      properties: { messageExpiryInterval: 1 },
    });
    await sleep(2100);
    const late = await connect(5, { clientId: fresh() });
    await late.mqtt.subscribeAsync(`${topic}/#`, { qos: 1 });
    const { text, packet } = await late.next();
    expect(text).toBe('long');
    expect(packet.properties).toMatchObject({ contentType: 'text/plain', userProperties: { a: ['1', '2'] } });
    expect(packet.properties?.messageExpiryInterval).toBeLessThan(1000);
    expect(packet.properties?.messageExpiryInterval).toBeGreaterThan(900);
    await late.publish(`${topic}/end`, 'end', { qos: 1 });
    expect(await late.textsUntil('end')).toEqual([]);
    await late.publish(`${topic}/long`, '', { retain: true });
  });
});

describeBrokers('subscription options', ({ connect, fresh }) => {
  test('MQTT 5.0: No Local keeps a client’s own messages from it', async () => {
    const topic = fresh();
    const client = await connect(5, { clientId: fresh() });
    const other = await connect(5, { clientId: fresh() });
    await client.mqtt.subscribeAsync(topic, { qos: 1, nl: true });
    await client.publish(topic, 'own', { qos: 1 });
    await other.publish(topic, 'end', { qos: 1 });
    expect(await client.textsUntil('end')).toEqual([]);
    // Mosquitto 2.0 does not take the option back with a second SUBSCRIBE, so it is a new subscription.
    await client.mqtt.unsubscribeAsync(topic);
    await client.mqtt.subscribeAsync(topic, { qos: 1, nl: false });
    await client.publish(topic, 'own', { qos: 1 });
    expect((await client.next()).text).toBe('own');
  });

  test('MQTT 5.0: Retain As Published keeps the flag', async () => {
    const topic = fresh();
    const plain = await connect(5, { clientId: fresh() });
    const asPublished = await connect(5, { clientId: fresh() });
    await plain.mqtt.subscribeAsync(topic, { qos: 1 });
    await asPublished.mqtt.subscribeAsync(topic, { qos: 1, rap: true });
    await plain.publish(topic, 'retained', { qos: 1, retain: true });
    await plain.publish(topic, 'passing', { qos: 1 });
    expect((await plain.next()).packet.retain).toBe(false);
    expect((await plain.next()).packet.retain).toBe(false);
    expect((await asPublished.next()).packet.retain).toBe(true);
    expect((await asPublished.next()).packet.retain).toBe(false);
    await plain.publish(topic, '', { retain: true });
  });

  test('MQTT 5.0: each delivery tells which subscription it is for', async () => {
    const topic = fresh();
    const client = await connect(5, { clientId: fresh() });
    await client.mqtt.subscribeAsync(`${topic}/a`, { qos: 1, properties: { subscriptionIdentifier: 1 } });
    await client.mqtt.subscribeAsync(`${topic}/b`, { qos: 1, properties: { subscriptionIdentifier: 268_435_455 } });
    await client.mqtt.subscribeAsync(`${topic}/c`, { qos: 1 });
    for (const leaf of ['a', 'b', 'c']) await client.publish(`${topic}/${leaf}`, leaf, { qos: 1 });
    const found = [await client.next(), await client.next(), await client.next()];
    expect(found.map(({ packet }) => packet.properties?.subscriptionIdentifier)).toEqual([1, 268_435_455, undefined]);
  });

  test('MQTT 5.0: a message that several subscriptions match comes with all their identifiers', async () => {
    const topic = fresh();
    const client = await connect(5, { clientId: fresh() });
    await client.mqtt.subscribeAsync(`${topic}/#`, { qos: 1, properties: { subscriptionIdentifier: 7 } });
    await client.mqtt.subscribeAsync(`${topic}/+`, { qos: 1, properties: { subscriptionIdentifier: 8 } });
    await client.publish(`${topic}/a`, 'both', { qos: 1 });
    await client.publish(topic, 'end', { qos: 1 });
    const ids: number[] = [];
    for (let next = await client.next(); next.text !== 'end'; next = await client.next()) {
      ids.push(...[next.packet.properties?.subscriptionIdentifier ?? []].flat());
    }
    expect(ids.toSorted()).toEqual([7, 8]);
  });

  test('MQTT 5.0: a shared subscription hands each message to one of the group, and all to others', async () => {
    const topic = fresh();
    const group = await Promise.all([connect(5), connect(5), connect(5)]);
    for (const member of group) await member.mqtt.subscribeAsync(`$share/workers/${topic}/#`, { qos: 1 });
    const whole = await connect(5);
    await whole.mqtt.subscribeAsync(`${topic}/#`, { qos: 1 });
    const texts = Array.from({ length: 300 }, (_, index) => `job ${index}`);
    const publisher = await connect(5);
    await Promise.all(texts.map((text) => publisher.publish(`${topic}/job`, text, { qos: 1 })));
    await publisher.publish(`${topic}/end`, 'end', { qos: 1 });
    expect(await whole.textsUntil('end')).toEqual(texts);
    // One of them has the end; the others have got everything before it, since what they are sent leaves in order.
    await Promise.all(group.map((member) => member.mqtt.subscribeAsync(`${topic}/marker/+`, { qos: 1 })));
    for (const [index, member] of group.entries())
      await member.publish(`${topic}/marker/m`, `marker ${index}`, { qos: 1 });
    const parts = await Promise.all(group.map((member) => member.textsUntil('marker 2')));
    const jobs = parts.map((part) => part.filter((text) => text.startsWith('job')));
    expect(jobs.flat().toSorted()).toEqual(texts.toSorted());
    for (const part of jobs) expect(part.length).toBeGreaterThanOrEqual(99);
    for (const part of jobs) expect(part).toEqual(texts.filter((text) => part.includes(text)));
  });
});

describeBrokers('properties of MQTT 5.0', ({ connect, fresh, setup }) => {
  const is21 = setup.broker === 'moustique';

  for (const qos of [0, 1, 2] as const) {
    test(`a message carries all its properties from end to end at QoS ${qos}`, async () => {
      const topic = fresh();
      const client = await connect(5, { clientId: fresh() });
      await client.mqtt.subscribeAsync(topic, { qos });
      const properties = {
        payloadFormatIndicator: true,
        contentType: 'application/json; ünïcode',
        responseTopic: `${topic}/answer`,
        correlationData: Buffer.from([0, 1, 254, 255]),
        userProperties: { b: ['2', '1'], a: '', '': 'no name', long: 'x'.repeat(10_000) },
      };
      await client.publish(topic, '{}', { qos, properties: { ...properties, messageExpiryInterval: 5000 } });
      const { packet } = await client.next();
      expect(packet.properties).toMatchObject(properties);
      expect(Object.keys(packet.properties?.userProperties ?? {})).toEqual(['b', 'a', '', 'long']);
      expect(packet.properties?.messageExpiryInterval).toBeGreaterThan(4900);
      expect(packet.properties?.messageExpiryInterval).toBeLessThanOrEqual(5000);
    });
  }

  test('an older subscriber gets the message without properties, an older publisher’s has none', async () => {
    const topic = fresh();
    const old = await connect(4, { clientId: fresh() });
    const client = await connect(5, { clientId: fresh() });
    for (const subscriber of [old, client]) await subscriber.mqtt.subscribeAsync(topic, { qos: 1 });
    await client.publish(topic, 'from 5.0', { qos: 1, properties: { contentType: 'x', userProperties: { a: 'b' } } });
    await old.publish(topic, 'from 3.1.1', { qos: 1 });
    expect((await old.next()).text).toBe('from 5.0');
    expect((await old.next()).text).toBe('from 3.1.1');
    expect((await client.next()).packet.properties).toMatchObject({ contentType: 'x' });
    expect((await client.next()).packet.properties ?? {}).toEqual({});
  });

  test('a message that waits for its client has less time left; one that is over does not come', async () => {
    const topic = fresh();
    const clientId = fresh();
    const kept = { clientId, clean: false, properties: { sessionExpiryInterval: 1000 } };
    const before = await connect(5, kept);
    await before.mqtt.subscribeAsync(topic, { qos: 1 });
    await before.disconnect();
    const publisher = await connect(5, { clientId: fresh() });
    await publisher.publish(topic, 'short', { qos: 1, properties: { messageExpiryInterval: 1 } });
    await publisher.publish(topic, 'long', { qos: 1, properties: { messageExpiryInterval: 1000 } });
    await sleep(2100);
    const after = await connect(5, kept);
    const { text, packet } = await after.next();
    expect(text).toBe('long');
    expect(packet.properties?.messageExpiryInterval).toBeLessThan(1000);
    expect(packet.properties?.messageExpiryInterval).toBeGreaterThan(900);
  });

  test('Topic Aliases of a client are understood', async () => {
    const topic = fresh();
    const subscriber = await connect(5, { clientId: fresh() });
    await subscriber.mqtt.subscribeAsync(`${topic}/#`, { qos: 1 });
    const publisher = await connect(5, { clientId: fresh(), autoUseTopicAlias: true, autoAssignTopicAlias: true });
    const maximum = publisher.connack.properties?.topicAliasMaximum ?? 0;
    expect(maximum).toBe(10);
    const sent: (number | undefined)[] = [];
    publisher.mqtt.on('packetsend', (packet) => {
      if (packet.cmd === 'publish') sent.push(packet.topic.length);
    });
    const texts: string[] = [];
    // More topics than aliases, so that the client gives some a new meaning.
    for (let index = 0; index < 60; index++) {
      const leaf = `${topic}/${index % 15}`;
      texts.push(leaf);
      await publisher.publish(leaf, leaf, { qos: 1 });
    }
    for (const text of texts) {
      const next = await subscriber.next();
      expect([next.topic, next.text]).toEqual([text, text]);
    }
  });

  test('Topic Aliases of the server stay within the client’s maximum', async () => {
    const topic = fresh();
    const subscriber = await connect(5, { clientId: fresh(), properties: { topicAliasMaximum: 3 } });
    const aliases = new Set<number>();
    let withoutName = 0;
    subscriber.mqtt.on('packetreceive', (packet) => {
      if (packet.cmd !== 'publish') return;
      if (packet.properties?.topicAlias !== undefined) aliases.add(packet.properties.topicAlias);
      if (packet.topic === '') withoutName++;
    });
    await subscriber.mqtt.subscribeAsync(`${topic}/#`, { qos: 1 });
    const publisher = await connect(5, { clientId: fresh() });
    for (let index = 0; index < 50; index++) {
      await publisher.publish(`${topic}/${index % 5}`, `${index}`, { qos: index % 2 === 0 ? 0 : 1 });
    }
    for (let index = 0; index < 50; index++) {
      const next = await subscriber.next();
      expect([next.topic, next.text]).toEqual([`${topic}/${index % 5}`, `${index}`]);
    }
    // Mosquitto 2.0 sends none.
    expect([...aliases].toSorted()).toEqual(is21 ? [1, 2, 3] : []);
    expect(withoutName).toBe(is21 ? 27 : 0);
  });

  test('no more than Receive Maximum messages are under way', async () => {
    const topic = fresh();
    const client = await connect(5, { clientId: fresh(), properties: { receiveMaximum: 3 } });
    let underWay = 0;
    let most = 0;
    const release: (() => void)[] = [];
    // MQTT.js acknowledges when this is called.
    client.mqtt.handleMessage = (_packet, callback) => {
      underWay++;
      most = Math.max(most, underWay);
      release.push(() => {
        underWay--;
        callback();
      });
    };
    await client.mqtt.subscribeAsync(topic, { qos: 1 });
    const publisher = await connect(5, { clientId: fresh() });
    for (let index = 0; index < 20; index++) await publisher.publish(topic, `${index}`, { qos: 1 });
    for (let done = 0; done < 20; done++) {
      await client.next();
      release.shift()?.();
    }
    expect(most).toBeLessThanOrEqual(3);
  });

  test('a message above Maximum Packet Size is left out, others come', async () => {
    const topic = fresh();
    const client = await connect(5, { clientId: fresh(), properties: { maximumPacketSize: 100 } });
    await client.mqtt.subscribeAsync(topic, { qos: 1 });
    const publisher = await connect(5, { clientId: fresh() });
    await publisher.publish(topic, 'x'.repeat(200), { qos: 1 });
    await publisher.publish(topic, 'end', { qos: 1 });
    expect(await client.textsUntil('end')).toEqual([]);
  });

  test('request and response', async () => {
    const topic = fresh();
    const server = await connect(5, { clientId: fresh() });
    await server.mqtt.subscribeAsync(`${topic}/ask`, { qos: 1 });
    const answered = new Promise((resolve, reject) => {
      server.mqtt.once('message', (_topic, payload, { properties }) => {
        const { responseTopic = '', correlationData } = properties ?? {};
        const answer = {
          qos: 1,
          ...(correlationData === undefined ? {} : { properties: { correlationData } }),
        } as const;
        server.publish(responseTopic, `${payload.toString()}!`, answer).then(resolve, reject);
      });
    });
    const client = await connect(5, { clientId: fresh() });
    await client.mqtt.subscribeAsync(`${topic}/answer`, { qos: 1 });
    const correlationData = Buffer.from('42');
    await client.publish(`${topic}/ask`, 'hello', {
      qos: 1,
      properties: { responseTopic: `${topic}/answer`, correlationData },
    });
    const { text, packet } = await client.next();
    expect(text).toBe('hello!');
    expect(packet.properties?.correlationData).toEqual(correlationData);
    await answered;
  });

  test('PUBACK tells that nobody was there', async () => {
    const topic = fresh();
    const client = await connect(5, { clientId: fresh() });
    const codes: (number | undefined)[] = [];
    client.mqtt.on('packetreceive', (packet) => {
      if (packet.cmd === 'puback') codes.push(packet.reasonCode);
    });
    await client.publish(topic, 'nobody', { qos: 1 });
    await client.mqtt.subscribeAsync(topic, { qos: 1 });
    await client.publish(topic, 'somebody', { qos: 1 });
    expect((await client.next()).text).toBe('somebody');
    expect(codes.map((code) => code ?? 0)).toEqual([0x10, 0]);
  });
});
