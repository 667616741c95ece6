// What a fresh clone needs before anything can run: npm packages always, Debian packages for the tests.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
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

/** @type {{ program: string, package: string, for: string, isNotEverywhere?: boolean }[]} */
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

const missingPackages = () => debianPackages.filter((entry) => !hasProgram(entry.program) && isOffered(entry));

/** Whether the package index of this machine has it. Some packages are not in every release. */
function isOffered(entry) {
  if (entry.isNotEverywhere !== true) return true;
  const { stdout } = spawnSync('apt-cache', ['policy', entry.package], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  return /^ *Candidate: (?!\(none\))\S/m.test(stdout ?? '');
}

/**
 * Debian packages that the tests use: installed when we are root, otherwise the tests that need them are skipped and
 * say so. Under CI=true a missing package is an error.
 *
 * @throws Error under CI=true when a package is missing and cannot be installed
 */
export async function ensureDebianPackages() {
  let missing = missingPackages();
  const mayInstall = process.getuid?.() === 0 && hasProgram('apt-get');
  // An index that was never read has nothing: what is not everywhere is looked for again once it was.
  const isAbsent = debianPackages.some((entry) => !hasProgram(entry.program) && !missing.includes(entry));
  if (missing.length === 0 && !(isAbsent && mayInstall && !wasIndexRead())) return;
  if (mayInstall) {
    await readIndex();
    missing = missingPackages();
    if (missing.length > 0) await install(missing.map((entry) => entry.package));
    missing = missingPackages();
    if (missing.length === 0) return;
  }
  const names = missing.map((entry) => entry.package).join(' ');
  console.log(`\nMissing Debian packages: ${missing.map((entry) => `${entry.package} (${entry.for})`).join(', ')}.`);
  console.log(`Tests that need them are skipped. To run them too:\n\n    sudo apt-get install ${names}\n`);
  if (process.env.CI === 'true') throw new Error(`missing Debian packages: ${names}`);
}

const env = { DEBIAN_FRONTEND: 'noninteractive' };
const wait = ['-q', '-o', 'DPkg::Lock::Timeout=300'];

function wasIndexRead() {
  const folder = '/var/lib/apt/lists';
  return existsSync(folder) && readdirSync(folder).some((name) => name.includes('_Packages'));
}

async function readIndex() {
  if ((await run('apt-get', [...wait, 'update'], { env })) !== 0) console.error('apt-get update failed; going on');
}

async function install(packages) {
  console.log(`Installing Debian packages for the tests (apt-get install): ${packages.join(' ')} …`);
  const status = await run('apt-get', [...wait, 'install', '-y', '--no-install-recommends', ...packages], { env });
  if (status !== 0) console.error(`apt-get install ended with status ${status}`);
  // These start a service of their own: mosquitto on port 1883, which `npm start` wants.
  for (const service of ['mosquitto', 'influxdb']) if (packages.includes(service)) await stopService(service);
}

// Only done right after our own install.
async function stopService(name) {
  const script = `/etc/init.d/${name}`;
  const isSystemd = existsSync('/run/systemd/system');
  if (!isSystemd && !existsSync(script)) return;
  console.log(`Stopping the ${name} service that came with the package …`);
  if (isSystemd) await run('systemctl', ['disable', '--now', `${name}.service`]);
  else await run(script, ['stop']);
}
