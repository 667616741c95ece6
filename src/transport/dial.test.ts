import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { type DialTarget, dial } from './dial.ts';
import type { DialError } from './dial-error.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

function listen(onConnection: (socket: Socket) => void): Promise<number> {
  const server = createServer(onConnection);
  servers.push(server);
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

/** Dials and collects what happens until it is over. */
function run(target: DialTarget, onOpen: (link: ReturnType<typeof dial>) => void = () => {}) {
  const events: string[] = [];
  const closed = new Promise<DialError | undefined>((resolve) => {
    const link = dial(target, {
      onOpen: () => {
        events.push('open');
        onOpen(link);
      },
      onData: (buf, start, end) => events.push(`data ${buf.toString('latin1', start, end)}`),
      onDrain: () => events.push('drain'),
      onClose: resolve,
    });
  });
  return { events, closed };
}

describe('plain TCP', () => {
  test('opens, carries bytes both ways and closes', async () => {
    const port = await listen((socket) => socket.on('data', (bytes) => socket.end(`got ${bytes.toString()}`)));
    const { events, closed } = run({ address: { host: '127.0.0.1', port } }, (link) => link.write(Buffer.from('hi')));
    expect(await closed).toBeUndefined();
    expect(events).toEqual(['open', 'data got hi']);
  });

  test('localhost is tried with every address it has', async () => {
    const port = await listen((socket) => socket.end());
    expect(await run({ address: { host: 'localhost', port } }).closed).toBeUndefined();
  });

  test('a refused connection is named', async () => {
    const { events, closed } = run({ address: { host: '127.0.0.1', port: 1 } });
    expect(await closed).toMatchObject({ step: 'connect', code: 'ECONNREFUSED' });
    expect(events).toEqual([]);
  });

  test('a name that does not exist is named', async () => {
    expect(await run({ address: { host: 'host.invalid', port: 1 } }).closed).toMatchObject({ step: 'lookup' });
  });

  test('a Unix socket that does not exist is named', async () => {
    expect(await run({ address: { path: '/nonexistent/socket' } }).closed).toMatchObject({
      step: 'connect',
      code: 'ENOENT',
    });
  });

  test('pausing stops the bytes, resuming brings them', async () => {
    const port = await listen((socket) => {
      socket.on('error', () => {});
      socket.end(Buffer.alloc(4_000_000));
    });
    let received = 0;
    const sizes: number[] = [];
    await new Promise<void>((resolve) => {
      const link = dial(
        { address: { host: '127.0.0.1', port } },
        {
          onOpen: () => {},
          onData: (_buf, start, end) => {
            received += end - start;
            link.pause();
            // Whatever still comes before we resume would be counted here.
            setImmediate(() =>
              setImmediate(() => {
                sizes.push(received);
                link.resume();
              }),
            );
          },
          onDrain: () => {},
          onClose: () => resolve(),
        },
      );
    });
    expect(received).toBe(4_000_000);
    expect(sizes[0]).toBeLessThanOrEqual(65_536);
  });
});

describe('a link that is given up', () => {
  for (const [what, target] of [
    ['in the TLS handshake', { tls: { verify: 'none' } }],
    ['in the WebSocket handshake', { websocket: { path: '/mqtt', subprotocol: 'mqtt' } }],
  ] as const) {
    test(`${what} leaves no socket behind`, async () => {
      let onGone: () => void = () => {};
      const gone = new Promise<void>((resolve) => {
        onGone = resolve;
      });
      let link: ReturnType<typeof dial> | undefined;
      // A server that takes the hello and never answers.
      const port = await listen((socket) => {
        socket.on('error', () => {});
        socket.on('close', onGone);
        socket.once('data', () => link?.destroy());
      });
      const closed = new Promise<DialError | undefined>((resolve) => {
        link = dial(
          { address: { host: '127.0.0.1', port }, ...target },
          { onOpen: () => {}, onData: () => {}, onDrain: () => {}, onClose: resolve },
        );
      });
      expect(await closed).toBeUndefined();
      await gone;
    });
  }
});
