/**
 * The same suite against our broker and against Debian's mosquitto: where the second one has the feature, it shows that the
 * tests ask for nothing but what an MQTT broker does.
 */
import { afterEach, beforeAll, describe } from 'vitest';
import { type BrokerName, startBroker, type TestBroker } from '../harness/brokers.ts';
import { describeWith } from '../harness/programs.ts';
import { type Resources, useResources } from '../harness/resources.ts';
import { type ClientOptions, OracleClient, type Version } from './mqttjs-client.ts';

export interface Setup {
  readonly broker: BrokerName;
  readonly transport: 'tcp' | 'ws';
}

/** What the tests of a describe work with. */
export interface Place {
  readonly setup: Setup;
  /** A client of its own, closed at the end of the test. */
  connect(version: Version, options?: ClientOptions): Promise<OracleClient>;
  /** Part of a Topic Name or Client Identifier that no other test uses. */
  fresh(): string;
}

const setups: readonly Setup[] = [
  { broker: 'moustique', transport: 'tcp' },
  { broker: 'moustique', transport: 'ws' },
  { broker: 'mosquitto', transport: 'tcp' },
  { broker: 'mosquitto', transport: 'ws' },
];

/**
 * Runs tests against each broker over each transport; one broker serves all tests of a describe.
 *
 * @param config - further lines of the configuration
 */
export function describeBrokers(
  title: string,
  body: (place: Place) => void,
  config: readonly string[] = [],
  wanted: (setup: Setup) => boolean = () => true,
): void {
  for (const setup of setups.filter(wanted)) {
    const name = `${title}: ${setup.broker}, ${setup.transport}`;
    const run = (): void => body(placeOf(setup, config));
    if (setup.broker === 'mosquitto') describeWith(['mosquitto'], name, run);
    else describe(name, run);
  }
}

function placeOf(setup: Setup, config: readonly string[]): Place {
  const whole: Resources = useResources('end of file');
  const each: Resources = useResources();
  let broker: TestBroker | undefined;
  let count = 0;
  beforeAll(async () => {
    broker = await startBroker(whole, setup.broker, {
      config: [
        'listener {tcp} 127.0.0.1',
        'listener {ws} 127.0.0.1',
        'protocol websockets',
        'allow_anonymous true',
        ...config,
      ],
    });
  });
  // One that died is told about where it happened, and the tests that follow get another one.
  afterEach(async () => {
    if (broker === undefined || !broker.process.hasEnded) return;
    const { status, signal, stdout, stderr } = await broker.process.ended;
    await broker.start();
    throw new Error(`${setup.broker} ended during the test: status ${status}, signal ${signal}\n${stdout}${stderr}`);
  });
  return {
    setup,
    connect(version, options) {
      if (broker === undefined) throw new Error('the broker is not running');
      const scheme = setup.transport === 'tcp' ? 'mqtt' : 'ws';
      return OracleClient.connect(each, `${scheme}://127.0.0.1:${broker.port(setup.transport)}`, version, options);
    },
    fresh: () => `t${++count}`,
  };
}
