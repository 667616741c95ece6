/**
 * Modules of Node that are loaded when they are first used and not at start.
 *
 * Together they take longer to load than everything else the broker does before it listens, and most brokers need none of
 * them before their first client.
 */
export const builtins = {
  get childProcess(): typeof import('node:child_process') {
    return process.getBuiltinModule('node:child_process');
  },
  get crypto(): typeof import('node:crypto') {
    return process.getBuiltinModule('node:crypto');
  },
  get dns(): typeof import('node:dns/promises') {
    return process.getBuiltinModule('node:dns/promises');
  },
  get fsPromises(): typeof import('node:fs/promises') {
    return process.getBuiltinModule('node:fs/promises');
  },
  get module(): typeof import('node:module') {
    return process.getBuiltinModule('node:module');
  },
  get os(): typeof import('node:os') {
    return process.getBuiltinModule('node:os');
  },
  get workerThreads(): typeof import('node:worker_threads') {
    return process.getBuiltinModule('node:worker_threads');
  },
};
