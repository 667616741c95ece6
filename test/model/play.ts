/** Plays a sequence of actions to the model and to a broker, and compares what every client sees after each. */
import { packetsOf } from '../conformance/wire/packets.ts';
import { property } from '../conformance/wire/properties.ts';
import { type Action, actionOf, clientsCount, versions } from './actions.ts';
import { Bench } from './bench.ts';
import { Model } from './model.ts';

/** @returns what differed first, with the actions that led there; null when nothing did */
export function difference(numbers: readonly number[]): string | null {
  const model = new Model();
  // What goes out in one turn and what in several is the same to every client.
  const bench = new Bench((numbers[0] ?? 0) % 2 === 0 ? 2 : 64);
  try {
    for (const [index, number] of numbers.entries()) {
      const action = actionOf(number);
      act(model, bench, action, `m${index}`);
      for (let client = 0; client < clientsCount; client++) {
        const wanted = (model.seen[client] ?? []).splice(0).join(', ');
        const found = bench.seen(client).join(', ');
        if (wanted === found) continue;
        const told = numbers.slice(0, index + 1).map((each, at) => `${at}: ${JSON.stringify(actionOf(each))}`);
        return [...told, `client ${client}`, `  wanted: ${wanted}`, `  found:  ${found}`].join('\n');
      }
    }
    return null;
  } finally {
    void bench.close();
  }
}

/** One action for both; what its client cannot do now is left out. */
function act(model: Model, bench: Bench, action: Action, payload: string): void {
  const { client } = action;
  const version = versions[client] as 3 | 4 | 5;
  const packets = packetsOf(version);
  if (action.kind === 'wait') {
    model.wait(action.seconds);
    bench.advance(action.seconds);
    return;
  }
  if (action.kind === 'connect') {
    model.connect(action);
    bench.open(client);
    const { will } = action;
    bench.send(
      client,
      packets.connect({
        ...{ clientId: `c${client}`, cleanStart: action.cleanStart, keepAlive: 0 },
        properties: [
          property.sessionExpiryInterval(action.expiry),
          ...(action.receiveMaximum > 0 ? [property.receiveMaximum(action.receiveMaximum)] : []),
        ],
        will:
          will === null
            ? undefined
            : { ...will, payload: `will of ${client}`, properties: [property.willDelayInterval(will.delay)] },
      }),
    );
    return;
  }
  if (!model.isConnected(client)) return;
  switch (action.kind) {
    case 'cut':
      model.cut(client);
      bench.cut(client);
      return;
    case 'disconnect':
      model.disconnect(client, action.withWill);
      bench.send(client, packets.disconnect(version === 5 && action.withWill ? { reasonCode: 4 } : {}));
      return;
    case 'subscribe': {
      const { filter, qos, retainAsPublished, retainHandling, identifier } = action;
      const noLocal = action.noLocal && !filter.startsWith('$share/');
      const options = version === 5 ? { noLocal, retainAsPublished, retainHandling } : {};
      const properties = identifier > 0 ? [property.subscriptionIdentifier(identifier)] : [];
      model.subscribe(action);
      bench.send(client, packets.subscribe({ packetId: 7, filters: [{ filter, qos, ...options }], properties }));
      return;
    }
    case 'unsubscribe':
      model.unsubscribe(client, action.filter);
      bench.send(client, packets.unsubscribe({ packetId: 7, filters: [action.filter] }));
      return;
    case 'publish': {
      const { topic, qos, retain, isEmpty, expiry } = action;
      const packetId = qos === 2 ? action.packetId : 9;
      const properties = expiry > 0 ? [property.messageExpiryInterval(expiry)] : [];
      model.publish(action, payload);
      bench.send(
        client,
        packets.publish({ topic, payload: isEmpty ? '' : payload, qos, retain, packetId, properties }),
      );
      return;
    }
    case 'release':
      model.release(client, action.packetId);
      bench.send(client, packets.pubrel({ packetId: action.packetId }));
      return;
    case 'acknowledge': {
      const underWay = model.underWay(client);
      const delivery = underWay[action.which % Math.max(1, underWay.length)];
      if (delivery === undefined) return;
      const { packetId, step } = delivery;
      const refusal = version === 5 && action.refuses ? { reasonCode: 0x80 } : {};
      model.acknowledge(client, packetId, action.refuses);
      if (step === 'puback') bench.send(client, packets.puback({ packetId }));
      else if (step === 'pubrec') bench.send(client, packets.pubrec({ packetId, ...refusal }));
      else bench.send(client, packets.pubcomp({ packetId }));
    }
  }
}
