import { isUtf8 } from 'node:buffer';
import { expect, test } from 'vitest';
import { bytes } from '../../test/harness/codec.ts';
import { decodeUtf8, isValidUtf8 } from './utf8.ts';

function isValid(source: string): boolean {
  const buf = bytes(source);
  return isValidUtf8(buf, 0, buf.length);
}

test.each([
  ['empty', ''],
  ['ASCII', '"maison/salon/température"'],
  ['U+00A0, the first beyond the control characters', 'c2 a0'],
  ['U+07FF', 'df bf'],
  ['U+0800', 'e0 a0 80'],
  ['U+D7FF, the last before the surrogates', 'ed 9f bf'],
  ['U+E000, the first behind them', 'ee 80 80'],
  ['U+FDCF and U+FDF0, around non-characters', 'ef b7 8f ef b7 b0'],
  ['U+FFFD', 'ef bf bd'],
  ['U+10000', 'f0 90 80 80'],
  ['U+1FFFD', 'f0 9f bf bd'],
  ['U+2FFEF, which only looks like a non-character', 'f0 af bf af'],
  ['U+10FFFD', 'f4 8f bf bd'],
  ['a byte order mark [MQTT-1.5.4-3]', 'ef bb bf 61'],
])('takes %s', (_name, source) => expect(isValid(source)).toBe(true));

test.each([
  ['[MQTT-1.5.4-2] NUL', '61 00'],
  ['U+0001', '01'],
  ['U+001F', '1f'],
  ['U+007F', '7f'],
  ['U+0080', 'c2 80'],
  ['U+009F', 'c2 9f'],
  ['NUL in two bytes, Java style', 'c0 80'],
  ['overlong two bytes', 'c1 bf'],
  ['overlong three bytes', 'e0 9f bf'],
  ['overlong four bytes', 'f0 8f bf bf'],
  ['[MQTT-1.5.4-1] the surrogate U+D800', 'ed a0 80'],
  ['[MQTT-1.5.4-1] the surrogate U+DFFF', 'ed bf bf'],
  ['U+FDD0', 'ef b7 90'],
  ['U+FDEF', 'ef b7 af'],
  ['U+FFFE', 'ef bf be'],
  ['U+FFFF', 'ef bf bf'],
  ['U+1FFFE', 'f0 9f bf be'],
  ['U+10FFFF', 'f4 8f bf bf'],
  ['U+110000', 'f4 90 80 80'],
  ['F5', 'f5 80 80 80'],
  ['a lone continuation byte', '80'],
  ['two bytes cut short', 'c3'],
  ['three bytes cut short', 'e2 82'],
  ['four bytes cut short', 'f0 9f 98'],
  ['a second byte that is none', 'c3 28'],
  ['a third byte that is none', 'e2 82 28'],
  ['a fourth byte that is none', 'f0 9f 98 28'],
])('refuses %s', (_name, source) => {
  expect(isValid(source)).toBe(false);
  expect(isValid(`"good" ${source}`)).toBe(false);
});

test('decodes what may travel, short and long', () => {
  for (const text of ['', 'a', '~ ', 'é', 'ten bytes!', 'eleven byte', 'x'.repeat(1000), '😀', '\ufeffa']) {
    const buf = Buffer.from(`<${text}>`);
    expect(decodeUtf8(buf, 1, buf.length - 1)).toBe(text);
  }
  expect(decodeUtf8(bytes('61 7f'), 0, 2)).toBeUndefined();
  expect(decodeUtf8(bytes('61 1f'), 0, 2)).toBeUndefined();
  expect(decodeUtf8(bytes('61 c3'), 0, 2)).toBeUndefined();
  expect(decodeUtf8(bytes('"a longer string" 00'), 0, 16)).toBeUndefined();
});

test('looks at nothing outside the range', () => {
  const buf = bytes('00 "a" c3 a9 00');
  expect(isValidUtf8(buf, 1, 4)).toBe(true);
  expect(isValidUtf8(buf, 1, 3)).toBe(false); // é is cut in two
});

test('agrees with Node about every code point', () => {
  const buf = Buffer.alloc(4);
  for (let codePoint = 0; codePoint <= 0x10ffff; codePoint++) {
    const isControl = codePoint < 0x20 || (codePoint >= 0x7f && codePoint <= 0x9f);
    const isNonCharacter = (codePoint & 0xfffe) === 0xfffe || (codePoint >= 0xfdd0 && codePoint <= 0xfdef);
    const isSurrogate = codePoint >= 0xd800 && codePoint <= 0xdfff;
    if (isSurrogate) continue; // has no encoding of its own; see above
    const length = buf.write(String.fromCodePoint(codePoint), 'utf8');
    const allowed = !isControl && !isNonCharacter;
    if (isValidUtf8(buf, 0, length) !== allowed) expect.fail(`U+${codePoint.toString(16)}`);
  }
});

test('agrees with Node about every pair of bytes and a third', () => {
  for (let pair = 0; pair < 0x10000; pair++) {
    for (const third of [0x41, 0x80, 0x9f, 0xbf]) {
      const buf = Buffer.from([pair >> 8, pair & 0xff, third]);
      if (isValidUtf8(buf, 0, 3) && !isUtf8(buf)) expect.fail(buf.toString('hex'));
    }
  }
});
