import { expect, test } from 'vitest';
import { crc32c } from './crc32c.ts';

// RFC 3720, B.4.
test.each([
  ['32 zeros', Buffer.alloc(32), 0x8a91_36aa],
  ['32 times 0xff', Buffer.alloc(32, 0xff), 0x62a8_ab43],
  ['0, 1, 2 … 31', Buffer.from(Array.from({ length: 32 }, (_, index) => index)), 0x46dd_794e],
  ['the usual nine digits', Buffer.from('123456789'), 0xe306_9283],
  ['nothing', Buffer.alloc(0), 0],
])('of %s', (_, bytes, checksum) => {
  expect(crc32c(bytes, 0, bytes.length)).toBe(checksum);
});

test('goes on from an earlier part, wherever it was cut', () => {
  const bytes = Buffer.from('The quick brown fox jumps over the lazy dog');
  const whole = crc32c(bytes, 0, bytes.length);
  for (let cut = 0; cut <= bytes.length; cut++) {
    expect(crc32c(bytes, cut, bytes.length, crc32c(bytes, 0, cut))).toBe(whole);
  }
});
