/** What Node leaves behind for every socket it makes. */
import { Socket } from 'node:net';
import { getHeapSpaceStatistics } from 'node:v8';
import { expect, test } from 'vitest';
import { shareSocketShapes } from './socket-shapes.ts';

const sockets = 500;

function oldBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name: name }) => name === 'old_space')?.space_used_size ?? 0;
}

/** What accepting a socket makes, without the socket. */
function makeSockets(): void {
  for (let count = 0; count < sockets; count++) {
    // The fields that `node:net` gives it.
    const options = {
      handle: undefined,
      allowHalfOpen: false,
      pauseOnCreate: true,
      readable: true,
      writable: true,
      readableHighWaterMark: 16_384,
      writableHighWaterMark: 16_384,
    };
    new Socket(options);
  }
}

// 1.5 KB each in Node 20 without it. A full collection takes what it finds out of one reading, not out of all.
test('a socket leaves nothing behind in the old generation', () => {
  shareSocketShapes();
  makeSockets();
  let bytes = 0;
  const rounds = 10;
  for (let round = 0; round < rounds; round++) {
    const before = oldBytes();
    makeSockets();
    bytes += Math.max(0, oldBytes() - before);
  }
  expect(bytes / (rounds * sockets)).toBeLessThan(500);
});
