/** Who can reach the broker, and as whom. */
import { isIP } from 'node:net';
import type { Config, ListenerConfig } from '../../config/config.ts';
import { type Finding, placeOf } from './finding.ts';

export function inspectListeners({ listeners, origin, localOnly }: Config): Finding[] {
  if (localOnly) {
    return [
      {
        severity: 'hint',
        code: 'local-only',
        place: '',
        text: 'There is no listener, so only programs on this machine can connect, without a password.',
        instead: 'listener 1883, and a password_file',
      },
    ];
  }
  return listeners.flatMap((listener) => inspect(listener, origin));
}

function inspect(listener: ListenerConfig, origin: Config['origin']): Finding[] {
  const anonymousOrigin = listener.origin['allow_anonymous'] ?? origin['allow_anonymous'];
  const serviceOrigin = origin['moustique_auth_http_url'];
  const findings: Finding[] = [];
  const where = describe(listener);
  const isPublic = !isLocal(listener);
  const isTls = listener.certfile !== null || listener.pskHint !== null;
  const place = placeOf(listener.origin['listener']);
  if (isPublic && listener.allowAnonymous) {
    findings.push({
      severity: 'error',
      code: 'anonymous-public',
      place: placeOf(listener.origin['listener_allow_anonymous'] ?? anonymousOrigin) || place,
      text: `Anyone who reaches ${where} may connect without a password${listener.aclFile === null ? ' and read and write everything' : ''}.`,
      instead: 'allow_anonymous false and a password_file, or listen on 127.0.0.1',
    });
  }
  const { passwordFile, moustiqueAuthHttpUrl: serviceUrl, moustiqueAuthJwtKeyFile: keyFile } = listener;
  const asksForPasswords = passwordFile !== null || serviceUrl !== null || keyFile !== null;
  if (isPublic && !isTls && asksForPasswords) {
    findings.push({
      severity: 'warning',
      code: 'password-in-clear',
      place,
      text: `Passwords travel unencrypted to ${where}.`,
      instead: 'certfile and keyfile, on port 8883 as a rule',
    });
  }
  if (serviceUrl !== null && isClearToOthers(serviceUrl)) {
    findings.push({
      severity: 'warning',
      code: 'auth-service-in-clear',
      place: placeOf(listener.origin['moustique_auth_http_url'] ?? serviceOrigin) || place,
      text: `Passwords travel unencrypted to the service that is asked who may come in at ${where}.`,
      instead: 'an https:// address in moustique_auth_http_url',
    });
  }
  if (isPublic && listener.aclFile === null && !listener.allowAnonymous) {
    findings.push({
      severity: 'hint',
      code: 'no-acl',
      place,
      text: `Every user of ${where} may read and write every topic.`,
      instead: 'an acl_file that gives each user its topics',
    });
  }
  if (listener.requireCertificate && !listener.useIdentityAsUsername && !listener.useSubjectAsUsername) {
    if (!asksForPasswords && !listener.allowAnonymous) {
      findings.push({
        severity: 'warning',
        code: 'certificate-without-user',
        place: placeOf(listener.origin['require_certificate']) || place,
        text: `Clients of ${where} have to show a certificate and are refused all the same: nothing says which user it stands for.`,
        instead: 'use_identity_as_username true',
      });
    }
  }
  return findings;
}

function describe({ path, host, port }: ListenerConfig): string {
  return path ?? `port ${port}${host === null ? ' of every address' : ` of ${host}`}`;
}

function isClearToOthers(address: string): boolean {
  const { protocol, hostname } = new URL(address);
  return protocol === 'http:' && !/^(?:localhost|127\.[\d.]+|\[::1\])$/.test(hostname);
}

/** Whether only this machine can connect. A host name may stand for anything. */
function isLocal({ path, host }: ListenerConfig): boolean {
  if (path !== null || host === 'localhost' || host === '::1') return true;
  return host !== null && isIP(host) === 4 && host.startsWith('127.');
}
