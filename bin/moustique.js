#!/usr/bin/env node
// The broker, and its tools as commands: `moustique pub …` is `moustique_pub …`. Built by `npm run build`.
const [, script, command] = process.argv;
if (['pub', 'sub', 'rr'].includes(command)) {
  process.argv.splice(1, 2, `${script} ${command}`);
  require(`../dist/bin/moustique_${command}.cjs`);
} else {
  void import('../dist/bin/moustique.js');
}
