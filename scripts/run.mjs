// The one entry behind every npm script. Needs nothing but Node: what a command needs, it installs and builds first.
//
//   start [options of moustique]   install, build, run the broker (moustique.conf unless -c says otherwise)
//   test [--coverage] [--only=…]   everything: lint, build, generated documents, unit and integration tests
//   build | lint | bench | dev     see CONTRIBUTING.md

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Moustique needs Node.js 20.19 or newer; this is ${process.versions.node}.`);
  process.exit(1);
}

const commands = {
  start: async (args) => (await import('./start.mjs')).start(args),
  test: async (args) => (await import('./test.mjs')).test(args),
  build: async () => (await import('./build.mjs')).buildAll(),
  lint: async () => (await import('./lint.mjs')).lint(),
  bench: async (args) => (await import('./start.mjs')).bench(args),
  dev: async (args) => (await import('./start.mjs')).dev(args),
};

const [name = '', ...args] = process.argv.slice(2);
if (!Object.hasOwn(commands, name)) {
  console.error(`usage: node scripts/run.mjs ${Object.keys(commands).join('|')}`);
  process.exit(2);
}

try {
  const status = await commands[name](args);
  if (status !== undefined) process.exitCode = status;
} catch (error) {
  console.error(`${name}: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
  // The last line of `npm test` is read by machines; it is there however early the run ends.
  if (name === 'test') console.log('\n0 passed, 1 failed');
}
