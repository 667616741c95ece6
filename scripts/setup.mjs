// What a fresh clone needs before anything can run: npm packages always, Debian packages for the tests.

import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { root, run, runNode } from './children.mjs';

const stampFile = join(root, 'node_modules', '.moustique-installed');

/**
 * `npm ci` when node_modules is missing or does not belong to package-lock.json (or to this kind of machine).
 *
 * @throws Error if npm fails
 */
export async function ensureNodeModules() {
  const lock = readFileSync(join(root, 'package-lock.json'));
  const wanted = `${createHash('sha256').update(lock).digest('hex')} ${process.platform} ${process.arch}\n`;
  if (installed(wanted)) return;
  console.log('Installing npm packages (npm ci) …');
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund'];
  const npm = process.env.npm_execpath;
  const status =
    npm?.endsWith('.js') === true
      ? await runNode([npm, ...args])
      : await run(process.platform === 'win32' ? 'npm.cmd' : 'npm', args);
  if (status !== 0) throw new Error(`npm ci ended with status ${status}`);
  writeFileSync(stampFile, wanted);
}

function installed(wanted) {
  if (existsSync(stampFile)) return readFileSync(stampFile, 'utf8') === wanted;
  // Somebody ran npm by hand: npm's own record is as good as our stamp if it is not older than the lock file.
  const record = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(record) || !existsSync(join(root, 'node_modules', 'esbuild'))) return false;
  if (statSync(record).mtimeMs < statSync(join(root, 'package-lock.json')).mtimeMs) return false;
  writeFileSync(stampFile, wanted);
  return true;
}

/** @type {{ program: string, package: string, for: string }[]} */
const debianPackages = JSON.parse(readFileSync(join(root, 'scripts', 'debian-packages.json'), 'utf8'));

/** Whether a program can be run; looks into the sbin folders too, which are not on an ordinary user's PATH. */
export function hasProgram(name) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', '/sbin'];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

const missingPackages = () => debianPackages.filter((entry) => !hasProgram(entry.program));

/**
 * Debian packages that the tests use: installed when we are root, otherwise the tests that need them are skipped and
 * say so. Under CI=true a missing package is an error.
 *
 * @throws Error under CI=true when a package is missing and cannot be installed
 */
export async function ensureDebianPackages() {
  let missing = missingPackages();
  if (missing.length === 0) return;
  if (process.getuid?.() === 0 && hasProgram('apt-get')) {
    await install(missing.map((entry) => entry.package));
    missing = missingPackages();
    if (missing.length === 0) return;
  }
  const names = missing.map((entry) => entry.package).join(' ');
  console.log(`\nMissing Debian packages: ${missing.map((entry) => `${entry.package} (${entry.for})`).join(', ')}.`);
  console.log(`Tests that need them are skipped. To run them too:\n\n    sudo apt-get install ${names}\n`);
  if (process.env.CI === 'true') throw new Error(`missing Debian packages: ${names}`);
}

async function install(packages) {
  console.log(`Installing Debian packages for the tests (apt-get install): ${packages.join(' ')} …`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const wait = ['-q', '-o', 'DPkg::Lock::Timeout=300'];
  if ((await run('apt-get', [...wait, 'update'], { env })) !== 0) console.error('apt-get update failed; going on');
  const status = await run('apt-get', [...wait, 'install', '-y', '--no-install-recommends', ...packages], { env });
  if (status !== 0) console.error(`apt-get install ended with status ${status}`);
  if (packages.includes('mosquitto') && hasProgram('mosquitto')) await stopService();
}

// The package starts a broker on port 1883, which is the port `npm start` wants. Only done right after our own install.
async function stopService() {
  console.log('Stopping the mosquitto service that came with the package, port 1883 is for `npm start` …');
  if (existsSync('/run/systemd/system')) await run('systemctl', ['disable', '--now', 'mosquitto.service']);
  else if (existsSync('/etc/init.d/mosquitto')) await run('/etc/init.d/mosquitto', ['stop']);
}
