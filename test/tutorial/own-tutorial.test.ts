/**
 * Our own tutorial, every command of it, in its order.
 *
 * `sudo`, `apt`, `useradd`, `chown` and `systemctl` are stand-ins, folders of the system are folders of the test, and the well-known
 * ports are free ones. Everything else is what a reader gets: the launchers, the configuration, the unit file.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { freePort } from '../harness/ports.ts';
import { describeWith } from '../harness/programs.ts';
import { repositoryRoot } from '../harness/repository.ts';
import { useResources } from '../harness/resources.ts';
import { type RunningProcess, runToEnd, startProcess } from '../harness/running-process.ts';
import { tempDir } from '../harness/temp-dir.ts';
import { waitFor } from '../harness/wait.ts';
import { type Step, stepsOf } from './document.ts';

const english = join(repositoryRoot, 'docs/tutorial.md');
const french = join(repositoryRoot, 'docs/fr/tutoriel.md');

test('the two languages have the same commands, files and outputs', () => {
  const comparable = (step: Step) => ({
    ...step,
    line: 0,
    // Comments of files are for readers.
    text: step.kind === 'file' ? step.text.replaceAll(/^#.*\n/gm, '') : step.text,
  });
  expect(stepsOf(french).map(comparable)).toEqual(stepsOf(english).map(comparable));
});

describeWith(['openssl'], 'the tutorial', () => {
  const resources = useResources();

  test('does what it says', async () => {
    const root = tempDir(resources);
    const ports = new Map<string, number>();
    for (const port of ['1883', '8883', '9001']) ports.set(port, await freePort());
    const place = prepare(root, ports.get('1883') ?? 0);
    resources.add({ close: async () => void (await runToEnd([join(root, 'shims/systemctl'), 'stop'], place)) });

    /** Names and folders of a real machine → those of the test. */
    const localized = (text: string) =>
      text
        .replaceAll('/opt/moustique', repositoryRoot)
        .replaceAll(/\/(?:etc|var\/lib)\/(?:moustique|systemd)/g, (path) => join(root, path))
        .replaceAll('raspberrypi.local', 'localhost')
        .replaceAll(/\b(?:1883|8883|9001)\b/g, (port) => String(ports.get(port)));

    let staying: RunningProcess | undefined;
    let shown = '';
    for (const step of stepsOf(english)) {
      const where = `tutorial.md:${step.line}`;
      switch (step.kind) {
        case 'file': {
          const path = localized(step.path);
          mkdirSync(dirname(path), { recursive: true });
          writeFileSync(path, localized(step.text));
          break;
        }
        case 'commands': {
          const script = ['bash', '-ec', localized(step.text)];
          if (step.mode === 'stays') {
            await staying?.stop();
            // Debug lines tell when it listens; they are not shown.
            staying = startProcess(resources, ['bash', '-ec', `exec ${localized(step.text).trim()} -d`], place);
            await staying.waitForOutput('received SUBACK');
            break;
          }
          const answer = step.mode.startsWith('answers=') ? `${step.mode.slice('answers='.length)}\n` : '';
          const ended = await runToEnd(script, { ...place, input: answer.repeat(2) });
          shown = (ended.stdout + ended.stderr).replaceAll('\r\n', '\n'); // CSV ends its lines so
          if (step.mode === 'fails') expect(ended.status, `${where}: ${shown}`).not.toBe(0);
          else expect(ended.status, `${where}: ${shown}`).toBe(0);
          break;
        }
        case 'shown': {
          const pattern = patternOf(step.text);
          const process = staying;
          if (process === undefined) {
            expect(shown, where).toMatch(pattern);
          } else {
            await waitFor(
              () => `${where}: ${step.text} in ${process.stdout}${process.stderr}`,
              () => pattern.test(withoutDebugLines(process.stdout)),
            );
            await process.stop();
            staying = undefined;
          }
          break;
        }
      }
    }
  }, 180_000);
});

/** Lines in this order and next to each other; … is anything. */
function patternOf(text: string): RegExp {
  const quoted = text.trimEnd().replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&');
  return new RegExp(`^${quoted.replaceAll('…', '.+')}$`, 'm');
}

function withoutDebugLines(text: string): string {
  return text.replaceAll(/^(?:Client |Subscribed ).*\n/gm, '');
}

/** Makes the folders and stand-ins. @returns how commands are run */
function prepare(root: string, port: number): { cwd: string; env: Record<string, string | undefined> } {
  const shims = join(root, 'shims');
  const pidFile = join(root, 'broker.pid');
  for (const folder of ['shims', 'home', 'var/lib/moustique', 'etc/systemd/system', 'etc/moustique/conf.d']) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  // The unit has an account of its own; a broker that a test starts as root would become somebody who may not come in here.
  writeFileSync(join(root, 'etc/moustique/conf.d/account.conf'), `user ${userInfo().username}\n`);
  const unit = readFileSync(join(repositoryRoot, 'systemd/moustique.service'), 'utf8');
  const [, command = ''] = /^ExecStart=\/usr\/bin\/env (.+)$/m.exec(unit) ?? [];
  expect(command).toBe('moustique -c /etc/moustique/moustique.conf');
  const start = command.replace('/etc/moustique', join(root, 'etc/moustique'));
  const shim = (name: string, script: string) => {
    writeFileSync(join(shims, name), `#!/bin/bash\n${script}\n`);
    chmodSync(join(shims, name), 0o755);
  };
  shim('sudo', 'exec "$@"');
  for (const name of ['apt', 'useradd', 'chown']) shim(name, 'exit 0');
  shim(
    'systemctl',
    `
stop() {
  [ -e ${pidFile} ] || return 0
  kill "$(cat ${pidFile})"
  while kill -0 "$(cat ${pidFile})" 2>/dev/null; do sleep 0.05; done
  rm ${pidFile}
}
start() {
  cd ${join(root, 'var/lib/moustique')}
  # A broker without a listener would take the well-known port.
  setsid ${start} -p ${port} >${join(root, 'broker.out')} 2>&1 </dev/null & echo $! >${pidFile}
  until (exec 3<>/dev/tcp/127.0.0.1/${port}) 2>/dev/null; do
    kill -0 "$(cat ${pidFile})" 2>/dev/null || { cat ${join(root, 'broker.out')} >&2; exit 1; }
    sleep 0.05
  done
}
case $1 in
  daemon-reload) ;;
  enable) [ -e ${join(root, 'etc/systemd/system/moustique.service')} ] && start ;;
  start) start ;;
  stop) stop ;;
  restart) stop; start ;;
  *) exit 1 ;;
esac`,
  );
  // The port that stands for 1883 is what the tools try when none is named.
  const config = join(root, 'home/.config');
  mkdirSync(config);
  for (const tool of ['pub', 'sub', 'rr']) writeFileSync(join(config, `moustique_${tool}`), `-p ${port}\n`);
  const prefix = join(root, 'usr');
  return {
    cwd: root,
    env: {
      HOME: join(root, 'home'),
      XDG_CONFIG_HOME: undefined,
      PATH: [shims, join(prefix, 'bin'), dirname(process.execPath), process.env['PATH']].join(':'),
      npm_config_prefix: prefix,
      npm_config_audit: 'false',
      npm_config_fund: 'false',
      npm_config_update_notifier: 'false',
      npm_config_cache: existsSync(join(process.env['HOME'] ?? '', '.npm'))
        ? join(process.env['HOME'] ?? '', '.npm')
        : join(root, 'npm'),
    },
  };
}
