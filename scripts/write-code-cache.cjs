// Runs a file of dist/bin that takes its code from beside it, and writes what V8 compiled for that: see build-executables.mjs.
// The broker it holds is started, so that what every start runs is in it, on a socket in a folder that nobody else can open.
// A process of its own, because V8 takes a cache only with the options it was made with.
const { existsSync, mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const vm = require('node:vm');

/** However little of the start was seen until then, it makes a cache. */
const waitMsMax = 5_000;

const [node, , file] = process.argv;
require('../bin/v8-options.js');
/** @type {vm.Script[]} */
const scripts = [];
vm.Script = class extends vm.Script {
  constructor(...args) {
    super(...args);
    scripts.push(this);
  }
};
const { main } = require(file);
const folder = mkdtempSync(join(tmpdir(), 'moustique-build-'));
const config = join(folder, 'moustique.conf');
const socket = join(folder, 'socket');
writeFileSync(config, ['user root', `listener 0 ${socket}`, 'allow_anonymous true', 'log_dest none', ''].join('\n'));
void main([node, file, '-c', config], {}).then(write);
setTimeout(write, waitMsMax);
setInterval(() => {
  if (existsSync(socket)) write();
}, 5);

function write() {
  writeFileSync(file.replace(/\.cjs$/, `.${process.version}-${process.arch}.cache`), scripts[0].createCachedData());
  rmSync(folder, { recursive: true, force: true });
  process.exit();
}
