import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../base/clock.ts';
import { Broker } from '../broker/broker.ts';
import { defaultLimits } from '../broker/limits.ts';
import type { Store } from '../contracts/store.ts';
import type { Transport, TransportHandler } from '../contracts/transport.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import { Connection } from './connection.ts';
import { Hub } from './hub.ts';
import type { ListenerPolicy } from './policy.ts';

/** A store that is as slow and as broken as a test wants. */
class SlowStore {
  readonly store: Store;
  position = 0;
  committed = 0;
  trouble: string | null = null;

  constructor() {
    const told = (): void => void this.position++;
    const own = { retainedPut: told, receivedPut: told, receivedRemoved: told, deliveryPut: told, sessionPut: told };
    this.store = Object.defineProperties(
      { ...createMemoryStore(), ...own },
      {
        position: { get: () => this.position },
        committed: { get: () => this.committed },
        trouble: { get: () => this.trouble },
      },
    );
  }

  commit(): void {
    this.committed = this.position;
    this.store.onCommitted?.();
  }

  change(trouble: string | null): void {
    this.trouble = trouble;
    this.store.onTrouble?.();
  }
}

class FakeTransport implements Transport {
  readonly peer = { address: 'test', port: 1, tls: null };
  handler: TransportHandler | null = null;
  readonly pendingBytes = 0;
  hasEnded = false;
  #written: Buffer[] = [];

  write(bytes: Buffer): void {
    this.#written.push(Buffer.from(bytes));
  }

  pause(): void {}
  resume(): void {}
  end(): void {
    this.hasEnded = true;
  }
  destroy(): void {
    this.hasEnded = true;
  }

  receive(hex: string): void {
    const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex');
    this.handler?.onData(bytes, 0, bytes.length);
  }

  /** What was sent since the last call, once the round of the event loop is over. */
  async sent(): Promise<string> {
    await new Promise((resolve) => setImmediate(resolve));
    const hex = Buffer.concat(this.#written).toString('hex');
    this.#written = [];
    return hex;
  }
}

const policy: ListenerPolicy = {
  port: 1883,
  authenticator: { authenticate: () => 'accepted' },
  protocolVersions: new Set([3, 4, 5]),
  maxQos: 2,
  maxTopicAlias: 0,
  maxTopicAliasBroker: 0,
  allowZeroLengthClientId: true,
  autoIdPrefix: 'auto-',
  clientIdPrefix: '',
  useUsernameAsClientId: false,
  useCertificateIdentity: false,
  mountPoint: Buffer.alloc(0),
} as unknown as ListenerPolicy;

/** CONNECT of client "c", with a session that is kept. */
const connect = {
  v311: '10 0d 0004 4d515454 04 00 003c 0001 63',
  v5: '10 13 0004 4d515454 05 00 003c 05 11 00000064 0001 63',
};
/** PUBLISH "a" "x": QoS 1 id 1 retained, QoS 1 id 2 not retained, QoS 2 id 3; without and with a Property Length. */
const publish = {
  v311: { retained: '33 06 0001 61 0001 78', plain: '32 06 0001 61 0002 78', exactlyOnce: '34 06 0001 61 0003 78' },
  v5: {
    retained: '33 07 0001 61 0001 00 78',
    plain: '32 07 0001 61 0002 00 78',
    exactlyOnce: '34 07 0001 61 0003 00 78',
  },
};

async function world(version: 'v311' | 'v5') {
  const slow = new SlowStore();
  const broker = new Broker(new VirtualClock(), { enabled: () => false, log: () => {} }, slow.store, defaultLimits);
  const transport = new FakeTransport();
  new Connection(new Hub(broker.engine), transport, policy);
  transport.receive(connect[version]);
  slow.commit();
  await transport.sent();
  return { slow, transport, broker };
}

describe('an acknowledgement', () => {
  test('waits until the store has what it promises', async () => {
    const { slow, transport } = await world('v311');
    transport.receive(publish.v311.retained);
    expect(await transport.sent()).toBe('');
    slow.commit();
    expect(await transport.sent()).toBe('40020001');
  });

  test('does not wait for the store when nothing was to be kept', async () => {
    const { transport } = await world('v311');
    transport.receive(publish.v311.plain);
    expect(await transport.sent()).toBe('40020002');
  });

  test('keeps its place behind one that waits', async () => {
    const { slow, transport } = await world('v311');
    transport.receive(publish.v311.retained);
    transport.receive(publish.v311.plain);
    expect(await transport.sent()).toBe('');
    slow.commit();
    expect(await transport.sent()).toBe('4002000140020002');
  });
});

describe('while the disk is full', () => {
  test('MQTT 5.0 is told 0x97 for what could not be stored, and served otherwise', async () => {
    const { slow, transport } = await world('v5');
    slow.change('ENOSPC');
    transport.receive(publish.v5.retained);
    expect(await transport.sent()).toBe('4003000197');
    transport.receive(publish.v5.plain);
    expect(await transport.sent()).toBe('4003000210'); // nobody subscribes
    transport.receive('c0 00');
    expect(await transport.sent()).toBe('d000');
  });

  test('a refused QoS 2 PUBLISH frees its identifier: the repeat is a new message', async () => {
    const { slow, transport, broker } = await world('v5');
    slow.change('ENOSPC');
    transport.receive(publish.v5.exactlyOnce);
    expect(await transport.sent()).toBe('5003000397');
    expect(broker.engine.holdings.count).toBe(0);
    slow.change(null);
    transport.receive(publish.v5.exactlyOnce);
    expect(await transport.sent()).toBe('');
    slow.commit();
    expect(await transport.sent()).toBe('50020003');
  });

  test('what was waiting when it began is refused as well', async () => {
    const { slow, transport } = await world('v5');
    transport.receive(publish.v5.retained);
    transport.receive(publish.v5.exactlyOnce);
    expect(await transport.sent()).toBe('');
    slow.change('ENOSPC');
    expect(await transport.sent()).toBe('40030001975003000397');
    slow.change(null);
    slow.commit();
    expect(await transport.sent()).toBe('');
  });

  test('MQTT 3.1.1 is closed without an acknowledgement', async () => {
    const { slow, transport } = await world('v311');
    slow.change('ENOSPC');
    transport.receive(publish.v311.plain);
    expect(await transport.sent()).toBe('40020002');
    transport.receive(publish.v311.retained);
    expect(await transport.sent()).toBe('');
    expect(transport.hasEnded).toBe(true);
  });

  test('MQTT 3.1.1 is closed when it waits for an acknowledgement that will not come', async () => {
    const { slow, transport } = await world('v311');
    transport.receive(publish.v311.retained);
    slow.change('ENOSPC');
    expect(await transport.sent()).toBe('');
    expect(transport.hasEnded).toBe(true);
  });

  test('afterwards everything is acknowledged again', async () => {
    const { slow, transport } = await world('v5');
    slow.change('ENOSPC');
    slow.change(null);
    transport.receive(publish.v5.retained);
    slow.commit();
    expect(await transport.sent()).toBe('4003000110');
  });
});

test('what is retained follows the SUBACK, also when that waits for the disk', async () => {
  const { slow, transport } = await world('v311');
  transport.receive('31 04 0001 61 78'); // retained, QoS 0
  slow.commit();
  slow.position++; // somebody else's fact is not safe yet
  transport.receive('82 06 0007 0001 61 00');
  expect(await transport.sent()).toBe('');
  slow.commit();
  await Promise.resolve();
  expect(await transport.sent()).toBe('9003000700310400016178');
});

test('a subscription that ends before its SUBACK may go out is not asked what is retained under it', async () => {
  const { slow, transport, broker } = await world('v5');
  const { tree } = broker.engine;
  const filterOf = tree.filterOf.bind(tree);
  const strangers: number[] = [];
  tree.filterOf = (number) => {
    const filter = filterOf(number);
    if (tree.numberOf(filter) !== number) strangers.push(number);
    return filter;
  };
  transport.receive(publish.v5.retained);
  // SUBSCRIBE 2 "a" with QoS 0, UNSUBSCRIBE 3 "a"
  transport.receive('82 07 0002 00 0001 61 00 a2 06 0003 00 0001 61');
  expect(await transport.sent()).toBe('');
  slow.commit();
  // PUBACK that nobody got it, SUBACK, UNSUBACK, and nothing else
  expect(await transport.sent()).toBe('4003000110900400020000b00400030000');
  expect(strangers).toEqual([]);
  // One that stays gets it behind the SUBACK.
  transport.receive(publish.v5.retained);
  transport.receive('82 07 0002 00 0001 61 00');
  slow.commit();
  expect(await transport.sent()).toBe('400300011090040002000031050001610078');
});
