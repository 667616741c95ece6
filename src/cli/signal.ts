/** `moustique_signal`: sends a running broker the signals that it listens to, by name. */
import { readdirSync, readFileSync } from 'node:fs';
import { atol } from './c-numbers.ts';
import { errnoText } from './exit-code.ts';
import { plainHelp } from './plain-help.ts';
import { signalTool } from './plain-options.ts';
import type { ToolIo } from './tool-io.ts';
import { versionText } from './version-text.ts';

const FAILED = 1;

/** Name on the command line → signal, as Mosquitto 2.1 maps them. SIGRTMIN has no name in Node. */
const signals: Readonly<Record<string, NodeJS.Signals | number>> = {
  'config-reload': 'SIGHUP',
  'log-rotate': 'SIGHUP',
  shutdown: 'SIGINT',
  'tree-print': 'SIGUSR2',
  xtreport: 34,
};

/** Names under which brokers run. */
const BROKER_NAMES = ['moustique', 'mosquitto'];

/** @returns the exit status */
export async function main(words: readonly string[], io: ToolIo): Promise<number> {
  const parsed = parse(words, io.name);
  if (typeof parsed === 'string') {
    const isUsage = parsed.startsWith(io.name);
    if (isUsage) io.stdout.text(parsed);
    else io.error(`${parsed}\n`);
    return FAILED;
  }
  for (const pid of parsed.pids) {
    try {
      process.kill(pid, parsed.signal);
    } catch (error) {
      // Mosquitto: says so and ends with 0.
      io.error(`Error: Unable to send the signal to process ${pid}: ${errnoText(error)}.\n`);
    }
  }
  return 0;
}

interface Job {
  readonly pids: readonly number[];
  readonly signal: NodeJS.Signals | number;
}

/** A job, or a text to print. */
function parse(words: readonly string[], name: string): Job | string {
  let isForAll = false;
  let pid: number | undefined;
  let signalName: string | undefined;
  if (words.length === 0) return plainHelp(signalTool, name);
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? '';
    if (word === '--help' || word === '-h') return plainHelp(signalTool, name);
    if (word === '--version') return versionText(name);
    if (word === '-a') isForAll = true;
    else if (word === '-p') {
      const value = words[++index];
      if (value === undefined) return 'Error: -p argument given but no process ID specified.';
      pid = atol(value);
      if (pid < 1) return 'Error: Process ID must be >0.';
    } else if (word.startsWith('-')) return `Error: Unknown option '${word}'.`;
    else signalName = word;
  }
  if (isForAll === (pid !== undefined)) return 'Error: One of -a or -p must be used.';
  if (signalName === undefined) return 'Error: No signal given.';
  const signal = signals[signalName];
  if (signal === undefined) return `Error: Unknown signal '${signalName}'.`;
  return { pids: pid === undefined ? brokerPids() : [pid], signal };
}

/** Every process that is called as a broker, or that runs our broker's script. */
function brokerPids(): readonly number[] {
  const found: number[] = [];
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    try {
      const command = readFileSync(`/proc/${entry}/comm`, 'latin1').trim();
      const words = readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0');
      if (BROKER_NAMES.includes(command) || isBrokerScript(words)) found.push(pid);
    } catch {
      // It ended while we looked.
    }
  }
  return found;
}

/** `node [options] …/moustique[.js] …`: the first word after node that is no option is the script. */
function isBrokerScript(words: readonly string[]): boolean {
  if (!/(?:^|\/)node[\d.]*$/.test(words[0] ?? '')) return false;
  const script = words.slice(1).find((word) => !word.startsWith('-'));
  const base = script?.replace(/^.*\//, '').replace(/\.js$/, '');
  return base !== undefined && BROKER_NAMES.includes(base);
}
