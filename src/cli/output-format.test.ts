import { describe, expect, test } from 'vitest';
import type { PublishPacket } from '../client/index.ts';
import { MessagePrinter, type PrinterOptions } from './message-printer.ts';
import { OutputBuffer } from './output-buffer.ts';

/** 2026-11-22T14:14:38.486174 UTC */
const ARRIVAL_MS = Date.UTC(2026, 10, 22, 14, 14, 38) + 486.174;

function message(changes: Partial<PublishPacket> = {}): PublishPacket {
  return {
    type: 'publish',
    topic: 't/1',
    payload: Buffer.from('{"a":1,"b":"é"}'),
    qos: 0,
    retain: true,
    dup: false,
    packetId: 0,
    properties: {},
    ...changes,
  };
}

const rich = message({
  properties: {
    userProperties: [
      ['k', 'v'],
      ['k2', 'v2'],
    ],
    contentType: 'application/json',
    payloadFormatIndicator: 1,
    responseTopic: 'r/t',
    correlationData: Buffer.from('abc'),
    messageExpiryInterval: 500,
  },
});

function print(format: string | undefined, packet: PublishPacket, changes: Partial<PrinterOptions> = {}): string {
  const out = new OutputBuffer();
  let complaints = '';
  const printer = new MessagePrinter(out, {
    format,
    isVerbose: false,
    hasNewline: false,
    isPretty: false,
    isTerminal: false,
    now: () => ARRIVAL_MS,
    complain: (text) => {
      complaints += `!${text}`;
    },
    ...changes,
  });
  printer.print(packet);
  return out.take().toString() + complaints;
}

describe('-F', () => {
  // Written down from Mosquitto 2.1.
  const cases: readonly (readonly [format: string, output: string])[] = [
    ['[%20t]', '[                 t/1]'],
    ['[%-5l]', '[16   ]'],
    ['%.2:x', '7b:22:61:22:3a:31:2c:22:62:22:3a:22:c3:a9:22:7d'],
    ['[%4.2 X]', '[7B 22 61 22]'],
    ['[%8p]', '[{"a":1,"]'],
    ['[%.4/x]', '[7b22/6122/3a31/2c22/6222/3a22/c3a9/227d]'],
    ['[%.1x]', '[7 b 2 2 6 1 2 2 3 a 3 1 2 c 2 2 6 2 2 2 3 a 2 2 c 3 a 9 2 2 7 d]'],
    ['[%P]', '[k:v k2:v2]'],
    ['[%C|%D|%E|%F|%R]', '[application/json|abc|500|1|r/t]'],
    ['[%A|%S]', '[|]'],
    ['[%5A|%05S|%-4A]', '[     |00000|    ]'],
    ['%%%q%r%m%l', '%01016'],
    ['%U', '1795356878.486174000'],
    ['@N', '486174000'],
    ['@@%t@@', '@t/1@'],
    ['\\\\\\n\\t\\e\\a\\r\\v', '\\\n\t\x1b\x07\r\v'],
  ];
  for (const [format, output] of cases) {
    test(`${format} prints ${JSON.stringify(output)}`, () => {
      expect(print(format, rich)).toBe(output);
    });
  }

  test('the local time is that of strftime', () => {
    const local = new Date(ARRIVAL_MS);
    const two = (value: number) => String(value).padStart(2, '0');
    expect(print('@Y-@m-@d @H', rich)).toBe(
      `${local.getFullYear()}-${two(local.getMonth() + 1)}-${two(local.getDate())} ${two(local.getHours())}`,
    );
    expect(print('%I', rich)).toMatch(/^2026-11-2\dT\d\d:\d\d:38[+-]\d{4}$/);
    expect(print('[%.4I]', rich)).toBe('[2026]');
    expect(print('[%26I]', rich)).toMatch(/^\[ {2}2026/);
  });

  test('widths count bytes, not characters', () => {
    expect(print('[%6t]', message({ topic: 'é' }))).toBe('[    é]');
  });

  test('numbers of four and eight bytes', () => {
    const float = Buffer.alloc(4);
    float.writeFloatLE(1.5);
    const double = Buffer.alloc(8);
    double.writeDoubleLE(-Math.PI);
    expect(print('[%f]', message({ payload: float }))).toBe('[1.500000]');
    expect(print('[%8.2f]', message({ payload: float }))).toBe('[    1.50]');
    expect(print('[%.3d]', message({ payload: double }))).toBe('[-3.142]');
    expect(print('[%f]', message({ payload: double }))).toContain('8 bytes instead of 4');
  });

  test.each([
    ['%', 'Error: Incomplete format specifier.'],
    ['%5', 'Error: Incomplete format specifier.'],
    ['%-', 'Error: Incomplete format specifier.'],
    ['@', 'Error: Incomplete format specifier.'],
    ['\\', 'Error: Incomplete escape specifier.'],
    ['%z', "Error: Invalid format specifier 'z'."],
    ['%:t', "Error: Invalid format specifier ':'."],
    ['\\q', "Error: Invalid escape specifier 'q'."],
  ])('%s is refused', (format, text) => {
    expect(() => print(format, rich)).toThrow(text);
  });
});

describe('%j and %J', () => {
  const zone = /[+-]\d{4}(?=")/;

  test('hold everything, properties in the order in which they came', () => {
    expect(
      print('%j', rich)
        .replace(zone, '+0000')
        .replace(/T\d\d:\d\d/, 'T14:14'),
    ).toBe(
      '{"tst":"2026-11-22T14:14:38.486174+0000","topic":"t/1","qos":0,"retain":true,"payloadlen":16,"properties":{"user-properties":[{"k":"v"},{"k2":"v2"}],"content-type":"application/json","payload-format-indicator":1,"response-topic":"r/t","correlation-data":"abc","message-expiry-interval":500},"payload":"{\\"a\\":1,\\"b\\":\\"é\\"}"}',
    );
  });

  test('%J takes the payload as it is', () => {
    expect(print('%J', rich)).toMatch(/"payload":\{"a":1,"b":"é"\}\}$/);
  });

  test('the identifier of a message of QoS 1 and 2 is there, no properties are left out', () => {
    expect(print('%j', message({ qos: 1, packetId: 7, payload: Buffer.from('x') }))).toMatch(
      /"qos":1,"retain":true,"payloadlen":1,"mid":7,"payload":"x"\}$/,
    );
  });

  test('an empty payload is null', () => {
    expect(print('%j', message({ payload: Buffer.alloc(0) }))).toMatch(/"payloadlen":0,"payload":null\}$/);
    expect(print('%J', message({ payload: Buffer.alloc(0) }))).toMatch(/"payload":null\}$/);
  });

  test('%j ends the payload at NUL and keeps bytes that are no UTF-8', () => {
    const out = new OutputBuffer();
    const printer = new MessagePrinter(out, {
      format: '%j',
      isVerbose: false,
      hasNewline: false,
      isPretty: false,
      isTerminal: false,
      now: () => ARRIVAL_MS,
      complain: () => {},
    });
    printer.print(message({ payload: Buffer.from([0x61, 0xff, 0x01, 0x22, 0x00, 0x62]) }));
    // "a, the byte FF, \u0001, \"
    expect(out.take().toString('latin1')).toMatch(/"payload":"a\xff\\u0001\\""\}$/);
  });

  test('%J says when a payload is no JSON', () => {
    expect(print('%J', message({ payload: Buffer.from('{') }), { hasNewline: true })).toBe(
      '\n!Error: Message payload is not valid JSON on topic t/1.',
    );
  });

  test('--pretty indents with tabs', () => {
    const packet = message({
      payload: Buffer.from('[1,{"x":null,"y":[]}]'),
      properties: {
        userProperties: [
          ['k', 'v'],
          ['l', 'w'],
        ],
      },
    });
    expect(print('%J', packet, { isPretty: true }).replace(/"tst":\t"[^"]+"/, '"tst":\t"…"')).toBe(
      [
        '{',
        '\t"tst":\t"…",',
        '\t"topic":\t"t/1",',
        '\t"qos":\t0,',
        '\t"retain":\ttrue,',
        '\t"payloadlen":\t21,',
        '\t"properties":\t{',
        '\t\t"user-properties":\t[{',
        '\t\t\t\t"k":\t"v"',
        '\t\t\t}, {',
        '\t\t\t\t"l":\t"w"',
        '\t\t\t}]',
        '\t},',
        '\t"payload":\t[1, {',
        '\t\t\t"x":\tnull,',
        '\t\t\t"y":\t[]',
        '\t\t}]',
        '}',
      ].join('\n'),
    );
  });
});

describe('without -F', () => {
  const empty = message({ payload: Buffer.alloc(0) });
  const plain = message({ payload: Buffer.from('x') });

  test('the payload and a line end', () => {
    expect(print(undefined, plain, { hasNewline: true })).toBe('x\n');
    expect(print(undefined, plain)).toBe('x');
  });

  test('nothing at all for an empty payload', () => {
    expect(print(undefined, empty, { hasNewline: true })).toBe('');
  });

  test('-v puts the topic in front', () => {
    expect(print(undefined, plain, { isVerbose: true, hasNewline: true })).toBe('t/1 x\n');
    expect(print(undefined, empty, { isVerbose: true, hasNewline: true })).toBe('t/1 (null)\n');
    expect(print(undefined, empty, { isVerbose: true })).toBe('');
  });

  test('a terminal gets no control characters of others', () => {
    const evil = message({ topic: 't', payload: Buffer.from('a\x1b[2J\x07\tb\u0085c\nd\x7f') });
    expect(print(undefined, evil, { isTerminal: true, isVerbose: true })).toBe('t a\\x1b[2J\\x07\tb\\x85c\nd\\x7f');
    expect(print('%p', evil, { isTerminal: true })).toBe('a\\x1b[2J\\x07\tb\\x85c\nd\\x7f');
    expect(print(undefined, evil)).toBe('a\x1b[2J\x07\tb\u0085c\nd\x7f');
    expect(print('%j', evil, { isTerminal: true })).toContain('"payload":"a\\u001b[2J\\u0007\\tb\\x85c\\nd\\x7f"');
  });

  test('a terminal gets letters of UTF-8 whole, and bytes that are no UTF-8 where they are no control characters', () => {
    const letters = message({ payload: Buffer.from('é€😀') });
    expect(print(undefined, letters, { isTerminal: true })).toBe('é€😀');
    // A continuation byte alone (9b: CSI), one too many, a beginning without an end, and a byte that is never one.
    const bytes = Buffer.from([0x9b, 0x41, 0xc3, 0xa9, 0x9b, 0xe2, 0x42, 0xc2, 0x9b, 0xff]);
    const shown = print(undefined, message({ payload: bytes }), { isTerminal: true });
    expect(shown).toBe('\\x9bAé\\x9b\ufffdB\\x9b\ufffd'); // read back as UTF-8: e2 and ff are there as they came
  });
});
