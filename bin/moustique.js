#!/usr/bin/env node
// The broker, and its tools as commands: `moustique pub …` is `moustique_pub …`. Built by `npm run build`.
const [, script, command, ...words] = process.argv;
if (['pub', 'sub', 'rr'].includes(command)) {
  process.argv.splice(1, 2, `${script} ${command}`);
  require(`../dist/bin/moustique_${command}.cjs`);
} else if (!runsTool()) {
  require('./v8-options.js');
  nameRealTimeSignal();
  require('../dist/bin/moustique.cjs');
}

/** The broker has no words, only options. */
function runsTool() {
  if (command === undefined || command.startsWith('-')) return false;
  const { isCommand, runCommand } = require('../dist/bin/commands.cjs');
  if (!isCommand(command)) return false;
  void runCommand(command, words);
  return true;
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
