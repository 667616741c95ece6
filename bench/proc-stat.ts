/** CPU time and memory of a process and its children, as Linux tells them under /proc. */
import { readdirSync, readFileSync } from 'node:fs';

/** Ticks per second of utime and stime: USER_HZ, 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** The process and all its descendants. */
export function processTree(pid: number): number[] {
  const children = read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
  return [pid, ...children.flatMap(processTree)];
}

/**
 * Seconds of CPU used so far, user and system, all threads: from schedstat, which counts nanoseconds, or where the
 * kernel has none from stat, which counts ticks of 10 ms.
 */
export function cpuSeconds(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + (schedstatSeconds(pid) ?? statSeconds(read(`/proc/${pid}/stat`))), 0);
}

/** @param stat - the text of /proc/PID/stat; the command name in it may hold spaces and parentheses */
export function statSeconds(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // utime and stime are fields 14 and 15; the slice begins with field 3.
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS_PER_SECOND;
}

/** Resident memory, in bytes. */
export function residentBytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + statusBytes(read(`/proc/${pid}/status`), 'VmRSS'), 0);
}

/** @param status - the text of /proc/PID/status · @param field - as `VmRSS`, in kB there */
export function statusBytes(status: string, field: string): number {
  const match = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status);
  return match === null ? 0 : Number(match[1]) * 1024;
}

/** Seconds that all processes of the machine have run so far, interrupts left out: they belong to nobody. */
export function machineSeconds(): number {
  return busySeconds(read('/proc/stat'));
}

/** @param stat - the text of /proc/stat, whose first line adds up all cores: user, nice, system, … */
export function busySeconds(stat: string): number {
  const [, user, nice, system] = stat.split(/\s+/, 4);
  return (Number(user ?? 0) + Number(nice ?? 0) + Number(system ?? 0)) / TICKS_PER_SECOND;
}

function schedstatSeconds(pid: number): number | undefined {
  let nanoseconds = 0;
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
    }
  } catch {
    return undefined;
  }
  return nanoseconds > 0 ? nanoseconds / 1e9 : undefined;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
