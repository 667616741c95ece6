import { expect, test } from 'vitest';
import { busySeconds, cpuSeconds, processTree, residentBytes, statSeconds, statusBytes } from './proc-stat.ts';

test('adds utime and stime of /proc/PID/stat, whatever the command is called', () => {
  const stat = '4711 (a (b) c) S 1 4711 4711 0 -1 4194304 100 0 0 0 250 50 7 8 20 0 1 0 83061 3133440 383';
  expect(statSeconds(stat)).toBe(3);
});

test('reads a field of /proc/PID/status', () => {
  expect(statusBytes('VmHWM:\t  9000 kB\nVmRSS:\t    8300 kB\n', 'VmRSS')).toBe(8300 * 1024);
  expect(statusBytes('', 'VmRSS')).toBe(0);
});

test('adds user, nice and system of /proc/stat', () => {
  expect(busySeconds('cpu  100 20 30 9999 5 0 7 8 0 0\ncpu0 50 10 15 5000 2 0 3 4 0 0\n')).toBe(1.5);
});

test.skipIf(process.platform !== 'linux')('this process uses CPU and memory, and is in its own tree', () => {
  expect(processTree(process.pid)).toContain(process.pid);
  expect(cpuSeconds([process.pid])).toBeGreaterThan(0);
  expect(residentBytes([process.pid])).toBeGreaterThan(1e6);
});

test('a process that is gone has used nothing', () => {
  const none = 2 ** 22 + 1; // above the kernel's largest process id
  expect(cpuSeconds([none])).toBe(0);
  expect(residentBytes([none])).toBe(0);
});
