import { describe, expect, test } from 'vitest';
import { parseProxyHeader } from './proxy-protocol.ts';

const v1 = (text: string) => parseProxyHeader(1, Buffer.from(text, 'latin1'));
const hex = (text: string) => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
const v2 = (text: string) => parseProxyHeader(2, hex(text));

describe('version 1', () => {
  test.each([
    ['PROXY TCP4 192.0.2.7 192.0.2.1 56324 1883\r\n', { address: '192.0.2.7', port: 56_324 }],
    ['PROXY TCP6 2001:db8::7 2001:db8::1 1 65535\r\n', { address: '2001:db8::7', port: 1 }],
    ['PROXY UNKNOWN\r\n', null],
    ['PROXY UNKNOWN whatever 1 2 3\r\n', null],
  ])('%j', (line, source) => {
    expect(v1(`${line}\x10\x0c`)).toEqual({ kind: 'header', header: { source, tls: null }, length: line.length });
  });

  test('a line that comes in pieces is waited for, up to 107 characters', () => {
    const line = 'PROXY TCP4 192.0.2.7 192.0.2.1 56324 1883\r\n';
    for (let length = 0; length < line.length; length++) {
      expect(v1(line.slice(0, length))).toEqual({ kind: 'incomplete' });
    }
    const longest = `PROXY UNKNOWN ${'x'.repeat(91)}\r\n`;
    expect(longest).toHaveLength(107);
    expect(v1(longest).kind).toBe('header');
    expect(v1(`PROXY UNKNOWN ${'x'.repeat(92)}\r\n`)).toEqual({ kind: 'corrupt' });
    expect(v1(`PROXY UNKNOWN ${'x'.repeat(93)}`)).toEqual({ kind: 'corrupt' });
  });

  test.each([
    '\x10\x0c\x00\x04MQTT',
    'proxy TCP4 192.0.2.7 192.0.2.1 1 2\r\n',
    'PROXY  TCP4 192.0.2.7 192.0.2.1 1 2\r\n',
    'PROXY TCP4  192.0.2.7 192.0.2.1 1 2\r\n',
    'PROXY TCP4 192.0.2.7 192.0.2.1 1 2 \r\n',
    'PROXY TCP4 192.0.2.7 192.0.2.1 1\r\n',
    'PROXY TCP4 192.0.2.7 192.0.2.1 0 2\r\n',
    'PROXY TCP4 192.0.2.7 192.0.2.1 65536 2\r\n',
    'PROXY TCP4 192.0.2.7 192.0.2.1 1 0\r\n',
    'PROXY TCP4 192.0.2.7 192.0.2.1 +1 2\r\n',
    'PROXY TCP4 192.0.2.7 192.0.2.1 01 2\r\n',
    'PROXY TCP4 192.0.2.256 192.0.2.1 1 2\r\n',
    'PROXY TCP4 2001:db8::7 2001:db8::1 1 2\r\n',
    'PROXY TCP6 192.0.2.7 192.0.2.1 1 2\r\n',
    'PROXY UDP4 192.0.2.7 192.0.2.1 1 2\r\n',
    'PROXY UNKNOWNX\r\n',
  ])('%j is corrupt', (text) => {
    expect(v1(text)).toEqual({ kind: 'corrupt' });
  });
});

// The signature of version 2, 12 bytes.
const signature = '0d0a0d0a000d0a515549540a';

describe('version 2', () => {
  test('IPv4', () => {
    // version 2, command PROXY; TCP over IPv4; 12 bytes; 192.0.2.7 → 192.0.2.1, 56324 → 1883
    const header = `${signature} 21 11 000c c0000207 c0000201 dc04 075b`;
    expect(v2(`${header} 100c`)).toEqual({
      kind: 'header',
      header: { source: { address: '192.0.2.7', port: 56_324 }, tls: null },
      length: 28,
    });
    for (let length = 0; length < 28; length++) {
      expect(parseProxyHeader(2, hex(header).subarray(0, length))).toEqual({ kind: 'incomplete' });
    }
  });

  test.each([
    ['20010db8000000000000000000000007', '2001:db8::7'],
    ['00000000000000000000000000000001', '::1'],
    ['20010db8000100000001000000000001', '2001:db8:1:0:1::1'],
    ['00010002000300040005000600070008', '1:2:3:4:5:6:7:8'],
    ['fe800000000000000000000000000000', 'fe80::'],
  ])('IPv6: %s is %s', (bytes, address) => {
    // TCP over IPv6; 36 bytes; the address → ::, 1 → 2
    expect(v2(`${signature} 21 21 0024 ${bytes} ${'00'.repeat(16)} 0001 0002`)).toMatchObject({
      header: { source: { address, port: 1 } },
    });
  });

  test('a Unix socket has its path and port 0', () => {
    const path = Buffer.concat([Buffer.from('/run/client'), Buffer.alloc(97)]).toString('hex');
    expect(v2(`${signature} 21 31 00d8 ${path} ${'00'.repeat(108)}`)).toMatchObject({
      header: { source: { address: '/run/client', port: 0 } },
    });
  });

  test('an unknown family says nothing about the client', () => {
    expect(v2(`${signature} 21 00 0002 abcd`)).toEqual({
      kind: 'header',
      header: { source: null, tls: null },
      length: 18,
    });
  });

  test('LOCAL is the load balancer itself', () => {
    expect(v2(`${signature} 20 00 0000`)).toEqual({ kind: 'local' });
  });

  test('TLS: version, cipher, certificate and its common name', () => {
    const field = (type: string, text: string) =>
      type + text.length.toString(16).padStart(4, '0') + Buffer.from(text).toString('hex');
    const ssl = (client: string, verify: string, inner: string): string => {
      const value = client + verify + inner;
      return `20${(value.length / 2).toString(16).padStart(4, '0')}${value}`;
    };
    const withTlvs = (tlvs: string) => {
      const length = (12 + tlvs.length / 2).toString(16).padStart(4, '0');
      const parsed = v2(`${signature} 21 11 ${length} c0000207 c0000201 dc04 075b ${tlvs}`);
      return parsed.kind === 'header' ? parsed.header.tls : parsed.kind;
    };
    const inner = field('21', 'TLSv1.3') + field('22', 'anne') + field('23', 'TLS_AES_128_GCM_SHA256');
    const known = { version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' };
    // Another TLV (0x04, padding) before it is passed over.
    expect(withTlvs(`0400020000${ssl('07', '00000000', inner)}`)).toEqual({
      ...known,
      hasVerifiedCertificate: true,
      commonName: 'anne',
    });
    // A certificate that was not found good says nothing, and neither does none.
    const unproven = { ...known, hasVerifiedCertificate: false, commonName: null };
    expect(withTlvs(ssl('07', '00000001', inner))).toEqual(unproven);
    expect(withTlvs(ssl('01', '00000000', inner))).toEqual(unproven);
    // Not TLS at all.
    expect(withTlvs(ssl('00', '00000000', inner))).toBeNull();
    expect(withTlvs('')).toBeNull();
    // Cut off.
    expect(withTlvs('20')).toBe('corrupt');
    expect(withTlvs('20000401000000')).toBe('corrupt');
    expect(withTlvs('2000080100000000210005')).toBe('corrupt');
    expect(withTlvs('200005')).toBe('corrupt');
  });

  test('five hundred bytes of addresses and TLVs are read, more are too many', () => {
    const tlv = `04${(485).toString(16).padStart(4, '0')}${'00'.repeat(485)}`;
    expect(v2(`${signature} 21 11 01f4 c0000207 c0000201 dc04 075b ${tlv}`).kind).toBe('header');
    expect(v2(`${signature} 21 11 01f5`)).toEqual({ kind: 'too-long' });
  });

  test.each([
    ['another signature', '0d0a0d0a000d0a515549540b'],
    ['MQTT', '100c00044d515454'],
    ['version 1 in its place', '50524f58592054435034'],
    ['version 3', `${signature} 31 11 000c c0000207 c0000201 dc04 075b`],
    ['an unknown command', `${signature} 22 11 000c c0000207 c0000201 dc04 075b`],
    ['UDP', `${signature} 21 12 000c c0000207 c0000201 dc04 075b`],
    ['too few bytes for the addresses', `${signature} 21 11 000b c0000207 c0000201 dc04 07`],
    ['a Unix socket without a path', `${signature} 21 31 00d8 ${'00'.repeat(216)}`],
  ])('%s is corrupt', (_name, bytes) => {
    expect(v2(bytes)).toEqual({ kind: 'corrupt' });
  });
});
