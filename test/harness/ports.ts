import { existsSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';

// Below the range from which systems take the local ports of outgoing connections (32768 on Linux), so that no
// connection of another test can sit on a port between choosing and using it.
const lowest = 10_240;
const highest = 32_000;
/** Processes that run tests at the same time choose from ranges of their own. */
const slices = 16;
const sliceSize = Math.floor((highest - lowest) / slices);
const sliceStart = lowest + (Number(process.env['VITEST_POOL_ID'] ?? process.pid) % slices) * sliceSize;
/** Ports given away by this process: whoever asked may not listen yet. */
const given = new Set<number>();

/** A TCP port that is free on every address, and that nobody else in this run was given. */
export async function freePort(): Promise<number> {
  if (given.size > sliceSize / 2) given.clear();
  for (let attempt = 0; attempt < 1000; attempt += 1) {
    const port = sliceStart + Math.floor(Math.random() * sliceSize);
    if (given.has(port) || !(await canBind(port))) continue;
    given.add(port);
    return port;
  }
  throw new Error(`no free port between ${sliceStart} and ${sliceStart + sliceSize}`);
}

function canBind(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}

/**
 * Whether a process listens on a TCP port of this machine.
 *
 * On Linux the kernel's table is read, so that the listening process does not see a connection from us.
 */
export function isListening(port: number): Promise<boolean> {
  return existsSync('/proc/net/tcp') ? Promise.resolve(isInKernelTable(port)) : canConnect(port);
}

function isInKernelTable(port: number): boolean {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return ['/proc/net/tcp', '/proc/net/tcp6'].filter(existsSync).some((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .some((line) => {
        const [, local, , state] = line.trim().split(/\s+/);
        return state === '0A' && local?.endsWith(suffix) === true; // 0A: LISTEN
      }),
  );
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, 'localhost');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
