#!/usr/bin/env node
// The broker, and its tools as commands: `moustique pub …` is `moustique_pub …`. Built by `npm run build`.
const [, script, command] = process.argv;
if (['pub', 'sub', 'rr'].includes(command)) {
  process.argv.splice(1, 2, `${script} ${command}`);
  require(`../dist/bin/moustique_${command}.cjs`);
} else {
  const v8 = require('node:v8');
  // A broker's garbage is small and short-lived. Left alone, V8's young generation grows to 48 MB in the first burst of clients
  // and stays there: half a megabyte for every hundred of them. Whoever sets its size has the last word.
  const options = `${process.execArgv} ${process.env.NODE_OPTIONS}`;
  if (!options.includes('semi-space')) {
    v8.setFlagsFromString('--semi-space-growth-factor=1');
  }
  // Between two full collections the old generation may grow by one and a half times, not three: what a burst of clients leaves behind
  // is a quarter of all the memory of an idle connection. Less growth would cost more collections under load.
  if (!options.includes('heap-growing-percent')) v8.setFlagsFromString('--heap-growing-percent=150');
  nameRealTimeSignal();
  void import('../dist/bin/moustique.js');
}

/**
 * SIGRTMIN begins a new log file. Node has no name for it and would be ended by it; its table of names is open until `node:os` is
 * loaded for the first time. Where that door is closed one day, SIGHUP still does it.
 */
function nameRealTimeSignal() {
  const { noDeprecation } = process;
  try {
    // It complains on standard error, where users' scripts read.
    process.noDeprecation = true;
    // With the C libraries glibc and musl.
    Object.assign(process.binding('constants').os.signals, { SIGRTMIN: 34, 'SIGRTMIN+1': 35 });
  } catch {
    // Closed.
  } finally {
    process.noDeprecation = noDeprecation;
  }
}
