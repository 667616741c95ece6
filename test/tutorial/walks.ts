import { describe } from 'vitest';
import type { BrokerName, BrokerOptions } from '../harness/brokers.ts';
import { describeWith } from '../harness/programs.ts';
import type { ToolFamily } from '../harness/tools.ts';

/** Who plays the broker and who its clients while the classroom tutorial is walked. */
export interface Walk {
  readonly broker: BrokerName;
  readonly tools: ToolFamily;
}

// The last walk needs nothing of ours: it shows that the tests themselves tell the truth.
const walks: readonly Walk[] = [
  { broker: 'moustique', tools: 'mosquitto' },
  { broker: 'mosquitto', tools: 'moustique' },
  { broker: 'moustique', tools: 'moustique' },
  { broker: 'mosquitto', tools: 'mosquitto' },
];

/** Walk a section of the tutorial with each broker and each family of tools. */
export function describeWalks(section: string, body: (walk: Walk) => void): void {
  describe(section, () => {
    for (const walk of walks) {
      const needed = new Set([
        ...(walk.broker === 'mosquitto' ? (['mosquitto'] as const) : []),
        ...(walk.tools === 'mosquitto' ? (['mosquitto_pub', 'mosquitto'] as const) : []), // mosquitto_passwd comes with the broker
      ]);
      describeWith([...needed], `${walk.tools}_pub and ${walk.tools}_sub with the broker ${walk.broker}`, () =>
        body(walk),
      );
    }
  });
}

/** The same for what involves no command-line client. */
export function describeBrokers(section: string, body: (broker: BrokerName) => void): void {
  describe(section, () => {
    describe('with the broker moustique', () => body('moustique'));
    describeWith(['mosquitto'], 'with the broker mosquitto', () => body('mosquitto'));
  });
}

/** The configuration that Debian installs and the tutorial shows, in the broker's own folder. */
export const installedConfig: readonly string[] = [
  '# Place your local configuration in /etc/mosquitto/conf.d/',
  '#',
  '# A full description of the configuration file is at',
  '# /usr/share/doc/mosquitto/examples/mosquitto.conf.example',
  '',
  'pid_file {dir}/run/mosquitto.pid',
  '',
  'persistence true',
  'persistence_location {dir}/lib/',
  '',
  'log_dest file {dir}/log/mosquitto.log',
  '',
  'include_dir {dir}/conf.d',
];

const emptyFolders = { 'run/README': '', 'lib/README': '', 'log/README': '', 'conf.d/README': '' };

/** A broker as installed, with files added to conf.d. */
export function installedBroker(files: Readonly<Record<string, string>>): BrokerOptions {
  return { config: installedConfig, files: { ...emptyFolders, ...files } };
}

/** conf.d/mon_mosquitto.conf of section 3.1.3.2, word for word but for the port. */
export const anonymousListener = ['allow_anonymous true # A modifier : false -> true', 'listener {port}', ''].join(
  '\n',
);
