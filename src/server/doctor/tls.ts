/** Certificates and keys: whether they work, how long, and who else can read the key. */
import { statSync } from 'node:fs';
import type { Config, ListenerConfig } from '../../config/config.ts';
import { expiryWarnings, loadTls, TlsSetupError } from '../../transport/tls-context.ts';
import { tlsSettingsOf } from '../derive.ts';
import { type Finding, placeOf } from './finding.ts';

export async function inspectTls({ listeners }: Config, nowMs: number): Promise<Finding[]> {
  return listeners.flatMap((listener) => inspect(listener, nowMs));
}

function inspect(listener: ListenerConfig, nowMs: number): Finding[] {
  const settings = tlsSettingsOf(listener);
  if (settings === null) return [];
  const findings: Finding[] = [];
  const place = placeOf(listener.origin['certfile']);
  try {
    const material = loadTls(settings);
    for (const text of expiryWarnings(material, nowMs)) {
      findings.push({
        severity: text.includes(' expired on ') ? 'error' : 'warning',
        code: 'certificate-expiry',
        place,
        text: text.replace(/^Warning: /, ''),
        instead: 'renew it; the broker takes the new files at SIGHUP, without a restart',
      });
    }
    for (const text of material.warnings) {
      findings.push({ severity: 'warning', code: 'tls', place, text: text.replace(/^Warning: /, ''), instead: '' });
    }
  } catch (error) {
    if (!(error instanceof TlsSetupError)) throw error;
    const [, reason = ''] = error.lines;
    findings.push({
      severity: 'error',
      code: 'tls',
      place,
      text: `${error.lines[0]?.replace(/^Error: /, '')} ${reason.replace(/^Error: /, '')}`,
      instead: '',
    });
  }
  const key = statSync(settings.keyFile, { throwIfNoEntry: false });
  if (key !== undefined && (key.mode & 0o006) !== 0) {
    findings.push({
      severity: 'error',
      code: 'key-readable',
      place: placeOf(listener.origin['keyfile']),
      text: `Everyone on this machine may read the private key ${settings.keyFile}.`,
      instead: `chmod 0640 ${settings.keyFile}`,
    });
  }
  return findings;
}
