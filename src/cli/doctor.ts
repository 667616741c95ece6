/** `moustique doctor`: prints what was found about an installation. */
import { systemClock } from '../base/clock.ts';
import { examine } from '../server/doctor/doctor.ts';
import type { Finding, Severity } from '../server/doctor/finding.ts';
import type { ToolIo } from './tool-io.ts';

/** Exit status by the gravest finding; `--help` tells them. */
const statusOf: Readonly<Record<Severity, number>> = { error: 2, warning: 1, difference: 0, hint: 0 };
/** A wrong argument, as for the broker itself. */
const invalid = 3;

const headings: Readonly<Record<Severity, string>> = {
  error: 'To be put right',
  warning: 'To be looked at',
  difference: 'Different from Mosquitto',
  hint: 'Could be better',
};

/**
 * @param words - behind `doctor`
 * @returns the exit status
 */
export async function main(words: readonly string[], io: ToolIo): Promise<number> {
  let configFile: string | null = null;
  let isJson = false;
  for (let index = 0; index < words.length; index++) {
    const word = words[index];
    if (word === '-h' || word === '--help') {
      io.stdout.text(usage);
      return 0;
    }
    if (word === '--json') isJson = true;
    else if (word === '-c' || word === '--config-file') configFile = words[++index] ?? null;
    else return refuse(io, `Error: Unknown option '${word}'.`);
  }
  if (configFile === null) return refuse(io, 'Error: -c FILE is needed.');
  const findings = await examine({
    configFile,
    allowSymlinks: io.environment['MOSQUITTO_UNSAFE_ALLOW_SYMLINKS'] !== undefined,
    nowMs: systemClock().nowMs(),
  });
  const status = Math.max(0, ...findings.map(({ severity }) => statusOf[severity]));
  io.stdout.text(
    isJson ? `${JSON.stringify({ configFile, status, findings }, null, 2)}\n` : report(configFile, findings),
  );
  return status;
}

function refuse(io: ToolIo, text: string): number {
  io.error(`${text}\n${usage}`);
  return invalid;
}

function report(configFile: string, findings: readonly Finding[]): string {
  const sections = (Object.keys(headings) as Severity[]).map((severity) => {
    const found = findings.filter((finding) => finding.severity === severity);
    return found.length === 0 ? '' : `\n${headings[severity]}\n${found.map(described).join('')}`;
  });
  const graver = findings.filter(({ severity }) => statusOf[severity] > 0).length;
  const result = graver === 0 ? 'nothing wrong' : `${graver} to look at`;
  return `${configFile}: ${result}\n${sections.join('')}`;
}

function described({ place, text, instead, code }: Finding): string {
  const where = place === '' ? '' : `${place}: `;
  return `  * ${where}${text} [${code}]\n${instead === '' ? '' : `      → ${instead}\n`}`;
}

const usage = `Usage: moustique doctor -c FILE [--json]

Reads a configuration of Mosquitto and the files it names, and says what will behave differently, what is insecure, and
what to write instead. Nothing is started or changed.

Exit status: 0 nothing to look at, 1 warnings, 2 errors, 3 wrong arguments.
`;
