/**
 * `moustique doctor`: reads an installation of Mosquitto and says what will be different, what is insecure, and what to write
 * instead. It opens every file that the broker would open, and no socket.
 */
import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Config } from '../../config/config.ts';
import { ConfigErrors } from '../../config/config-error.ts';
import { type LoadedConfig, parseConfigFile } from '../../config/load-config.ts';
import { type Finding, placeOf, severities } from './finding.ts';
import { inspectListeners } from './listeners.ts';
import { inspectSecurityFiles } from './security-files.ts';
import { inspectTls } from './tls.ts';

/** What the doctor takes from its surroundings. */
export interface Patient {
  /** As given on the command line. */
  readonly configFile: string;
  readonly allowSymlinks: boolean;
  readonly nowMs: number;
}

/** Everything found, the gravest first. */
export async function examine(patient: Patient): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const loaded = load(patient.configFile, findings);
  if (loaded !== null) {
    const { config } = loaded;
    findings.push(...noticesOf(loaded));
    findings.push(...inspectListeners(config));
    findings.push(...inspectSecurityFiles(config, patient.allowSymlinks));
    findings.push(...(await inspectTls(config, patient.nowMs)));
    findings.push(...inspectProcess(config), ...differencesOf(config));
  }
  const rank = ({ severity }: Finding): number => severities.indexOf(severity);
  return findings.toSorted((one, other) => rank(one) - rank(other));
}

/** Reads the configuration; lines that cannot be used become findings. */
function load(path: string, findings: Finding[]): LoadedConfig | null {
  try {
    const loaded = parseConfigFile(path, { acceptUnsupported: true });
    findings.push(...unsupported(path));
    return loaded;
  } catch (error) {
    if (!(error instanceof ConfigErrors)) throw error;
    for (const { file, line, option, message, hint } of error.errors) {
      findings.push({
        severity: 'error',
        code: 'config-error',
        place: line > 0 ? `${file}:${line}` : file,
        text: message === '' ? `'${option}' cannot be used.` : message,
        instead: hint ?? '',
      });
    }
    return null;
  }
}

/** What is understood, and refused because it is not there yet. */
function unsupported(path: string): Finding[] {
  try {
    parseConfigFile(path);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigErrors)) throw error;
    return error.errors.map(({ file, line, message }) => ({
      severity: 'error',
      code: 'not-supported',
      place: line > 0 ? `${file}:${line}` : file,
      text: message,
      instead: 'remove the line, or keep Mosquitto for what needs it',
    }));
  }
}

/** Lines that are taken as meant although Mosquitto refuses them, options that are on their way out. */
function noticesOf({ notices }: LoadedConfig): Finding[] {
  return notices
    .filter(({ level }) => level !== 'information')
    .map(({ level, text, origin }) => ({
      severity: level === 'warning' ? 'warning' : 'hint',
      code: level === 'warning' ? 'config-warning' : 'deprecated',
      place: placeOf(origin ?? undefined),
      text: text.replace(/^Warning: /, '').replace(origin === null ? '' : `${origin.file}:${origin.line}: `, ''),
      instead: '',
    }));
}

/** Files and folders that the process needs. */
function inspectProcess({ global, origin, file }: Config): Finding[] {
  const findings: Finding[] = [];
  const folder = (path: string, option: string): void => {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats?.isDirectory() === true && isWritable(path)) return;
    findings.push({
      severity: 'error',
      code: 'folder',
      place: placeOf(origin[option]),
      text: `'${option}': ${stats === undefined ? 'there is no folder' : 'this user cannot write to'} ${path}.`,
      instead: `create it for the user of the broker: install -d -o ${global.user} ${path}`,
    });
  };
  if (global.persistence) folder(global.persistenceLocation ?? '.', 'persistence_location');
  if (global.pidFile !== null) folder(dirname(global.pidFile), 'pid_file');
  for (const target of global.logDest) {
    if (typeof target === 'object') folder(dirname(target.file), 'log_dest');
  }
  const passwords = file === null ? undefined : statSync(file, { throwIfNoEntry: false });
  if (passwords !== undefined && (passwords.mode & 0o002) !== 0) {
    findings.push({
      severity: 'error',
      code: 'world-writable',
      place: file ?? '',
      text: 'Anyone on this machine may write to the configuration.',
      instead: `chmod o-w ${file}`,
    });
  }
  return findings;
}

/** What works differently than with Mosquitto 2.1 for this very configuration; docs/differences.md has all of it. */
function differencesOf({ global, origin }: Config): Finding[] {
  const findings: Finding[] = [];
  if (origin['set_tcp_nodelay'] === undefined) {
    findings.push({
      severity: 'difference',
      code: 'tcp-nodelay',
      place: '',
      text: 'Packets are sent at once; Mosquitto waits for more unless set_tcp_nodelay is true.',
      instead: '',
    });
  }
  if (global.persistence) {
    findings.push({
      severity: 'difference',
      code: 'persistence',
      place: placeOf(origin['persistence']),
      text: 'A message is acknowledged when it is safe on the disk; Mosquitto writes every autosave_interval seconds and loses what came since in a crash.',
      instead: '',
    });
  }
  if (global.sessionOwnerCheck && origin['session_owner_check'] === undefined) {
    findings.push({
      severity: 'difference',
      code: 'session-owner',
      place: '',
      text: 'A session belongs to the user who made it; Mosquitto gives it to whoever knows its client id.',
      instead: 'session_owner_check false gives Mosquitto’s behaviour',
    });
  }
  return findings;
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
