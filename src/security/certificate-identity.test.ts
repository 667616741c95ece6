import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { certificateIdentity } from './certificate-identity.ts';

let directory = '';

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'certificate-'));
  execFileSync('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', join(directory, 'key')]);
});

afterAll(() => {
  rmSync(directory, { recursive: true });
});

/** A certificate made by openssl. */
function certificate(subject: string, ...options: readonly string[]): Buffer {
  const file = join(directory, 'crt');
  const key = join(directory, 'key');
  const common = ['req', '-x509', '-key', key, '-days', '1', '-utf8', '-out', file];
  execFileSync('openssl', [...common, '-subj', subject, ...options], { stdio: 'ignore' });
  return new X509Certificate(readFileSync(file)).raw;
}

/** The same certificate's subject as openssl prints it. */
function opensslSubject(der: Buffer): string {
  const file = join(directory, 'der');
  writeFileSync(file, der);
  const printed = execFileSync('openssl', [
    ...['x509', '-inform', 'DER', '-in', file, '-noout', '-subject', '-nameopt', 'RFC2253'],
  ]);
  return printed
    .toString()
    .replace(/^subject=/, '')
    .replace(/\n$/, '');
}

test('takes the first common name', () => {
  expect(certificateIdentity(certificate('/C=GB/O=Org/CN=c1'), 'common-name')).toBe('c1');
  expect(certificateIdentity(certificate('/CN=first/O=Org/CN=second'), 'common-name')).toBe('first');
  expect(certificateIdentity(certificate('/CN=été 🦟, "x"'), 'common-name')).toBe('été 🦟, "x"');
});

test('has no name without a common name', () => {
  expect(certificateIdentity(certificate('/O=Org'), 'common-name')).toBeNull();
  expect(certificateIdentity(certificate('/'), 'common-name')).toBeNull();
  expect(certificateIdentity(certificate('/'), 'subject')).toBeNull();
  expect(certificateIdentity(certificate('/O=Org'), 'subject')).toBe('O=Org');
});

test.each([
  '/C=GB/O=Org/CN=c1',
  '/C=GB/ST=Kent/L=Dover/O=Org, Inc + Co/OU=a;b/CN=<c>"1"\\\\/emailAddress=a@b.c',
  '/CN=#leading hash',
  '/CN= both ends ',
  '/CN=été 🦟',
  '/DC=org/DC=example/UID=u/CN=c',
  '/CN=c/SN=Doe/GN=Jane/title=Dr/initials=J/serialNumber=12/pseudonym=p/street=s/postalCode=75001/description=d',
  '/CN=c/businessCategory=b/organizationIdentifier=o/dnQualifier=q/generationQualifier=III/name=n/jurisdictionC=FR',
])('prints the subject %s as openssl does', (subject) => {
  const der = certificate(subject);
  expect(certificateIdentity(der, 'subject')).toBe(opensslSubject(der));
});

test('prints a part of several attributes as openssl does', () => {
  const der = certificate('/O=Org/OU=a+OU=b/CN=c', '-multivalue-rdn');
  const identity = certificateIdentity(der, 'subject');
  expect(identity).toBe(opensslSubject(der));
  expect(identity).toContain('+');
});

test('reads names in two bytes per character', () => {
  const settings = join(directory, 'cnf');
  writeFileSync(settings, '[req]\ndistinguished_name=d\nstring_mask=MASK:0x800\n[d]\n'); // BMPString only
  const der = certificate('/CN=Łódź', '-config', settings);
  expect(der.includes(Buffer.from([0x1e, 0x08, 0x01, 0x41]))).toBe(true); // BMPString, 8 bytes, U+0141
  expect(certificateIdentity(der, 'common-name')).toBe('Łódź');
  expect(certificateIdentity(der, 'subject')).toBe(opensslSubject(der));
});

test('refuses names that are not text', () => {
  const der = certificate('/CN=abcd');
  const name = der.lastIndexOf('abcd'); // the subject comes after the issuer
  const changed = (bytes: readonly number[]): Buffer => {
    const copy = Buffer.from(der);
    copy.set(bytes, name);
    return copy;
  };
  expect(certificateIdentity(der, 'common-name')).toBe('abcd');
  expect(certificateIdentity(changed([0x61, 0x00, 0x63]), 'common-name')).toBeNull(); // NUL in the middle
  expect(certificateIdentity(changed([0x61, 0x0a, 0x63]), 'common-name')).toBeNull(); // a line end
  expect(certificateIdentity(changed([0xff, 0xfe]), 'common-name')).toBeNull(); // not UTF-8
});

test('a name of unknown type is shown by its number and bytes', () => {
  const der = certificate('/CN=c');
  const type = der.lastIndexOf(Buffer.from([0x06, 0x03, 0x55, 0x04, 0x03])); // OBJECT IDENTIFIER 2.5.4.3
  const copy = Buffer.from(der);
  copy[type + 4] = 0x7f; // 2.5.4.127
  expect(certificateIdentity(copy, 'subject')).toBe('2.5.4.127=#0C0163'); // UTF8String, one byte, "c"
});

test('bytes cut anywhere give no name and no error', () => {
  const der = certificate('/CN=c');
  for (let length = 0; length < der.length; length++) {
    expect(certificateIdentity(der.subarray(0, length), 'common-name')).toBeNull();
  }
});
