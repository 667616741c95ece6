// Runs a file of dist/bin that takes its code from beside it, and writes what V8 compiled for that: see build-executables.mjs.
// A process of its own, because V8 takes a cache only with the options it was made with.
const { writeFileSync } = require('node:fs');
const vm = require('node:vm');

const [, , file] = process.argv;
require('../bin/v8-options.js');
/** @type {vm.Script[]} */
const scripts = [];
vm.Script = class extends vm.Script {
  constructor(...args) {
    super(...args);
    scripts.push(this);
  }
};
require(file);
const place = file.replace(/\.cjs$/, `.${process.version}-${process.arch}.cache`);
writeFileSync(place, scripts[0].createCachedData());
