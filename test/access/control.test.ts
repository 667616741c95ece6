import { expect, test } from 'vitest';
import { startBroker, type TestBroker } from '../harness/brokers.ts';
import { moustiqueCommand } from '../harness/repository.ts';
import { useResources } from '../harness/resources.ts';
import { type Finished, runToEnd } from '../harness/running-process.ts';
import { connect, type Way, ways } from './clients.ts';

const resources = useResources();
const [, tcp5] = ways[1] as readonly [string, Way];

const acl = [
  'topic read $CONTROL/broker/v1/response',
  'topic write $CONTROL/broker/v1',
  'user bob',
  'topic read tank/#',
  'topic deny tank/secret/#',
  'topic write tank/secret/#',
  '',
].join('\n');

async function broker(more: readonly string[] = ['enable_control_api true']): Promise<TestBroker> {
  return startBroker(resources, 'moustique', {
    config: ['listener {port} 127.0.0.1', 'allow_anonymous true', 'acl_file {dir}/acl', ...more],
    files: { acl },
  });
}

const ctrl = (running: TestBroker, ...words: readonly string[]): Promise<Finished> =>
  runToEnd([...moustiqueCommand('moustique_ctrl'), '-p', String(running.port()), ...words]);

const questions: readonly (readonly [words: string, status: number, answer: readonly string[]])[] = [
  ['--client c --user bob --topic tank/1 --action read', 0, ['allowed', 'decided by: acl:4: topic read tank/#']],
  [
    '--client c --user bob --topic tank/1 --action write',
    5,
    ['denied', 'decided by: no line of acl allows it', 'nearest:    acl:4: topic read tank/# (it gives read only)'],
  ],
  [
    '--client c --user bob --topic tank/secret/1 --action write',
    5,
    [
      'denied',
      'decided by: acl:5: topic deny tank/secret/#',
      'nearest:    acl:6: topic write tank/secret/# (another line denies it)',
    ],
  ],
  [
    '--client c --topic tank/1 --action read',
    5,
    ['denied', 'decided by: no line of acl allows it', 'nearest:    acl:4: topic read tank/# (it is for user bob)'],
  ],
  [
    '--client c --user bob --topic tank/# --action subscribe',
    0,
    ['allowed', 'decided by: acl refuses no subscription, what it delivers is checked message by message'],
  ],
  [
    '--client c --user bob --topic $SYS/broker/uptime --action write',
    5,
    ['denied', 'decided by: topics below $SYS are for the broker to publish to', 'nearest:    no line comes near'],
  ],
];

test.each(['a running broker', 'a configuration file'])('acl explain answers by %s', async (source) => {
  const running = await broker();
  const file = source === 'a configuration file' ? ['-c', running.configFile] : [];
  for (const [words, status, answer] of questions) {
    const result = await ctrl(running, 'acl', 'explain', ...words.split(' '), ...file);
    expect(result.stdout.replaceAll(`${running.dir}/`, '').trimEnd().split('\n')).toEqual(answer);
    expect(result.status).toBe(status);
  }
});

test('acl explain prints JSON for scripts, and says what is wrong with a question', async () => {
  const running = await broker();
  const explain = (words: string): Promise<Finished> => ctrl(running, 'acl', 'explain', ...words.split(' '));
  const { stdout, status } = await explain('--client c --user bob --topic tank/1 --action read --json');
  expect(JSON.parse(stdout)).toEqual({
    allowed: true,
    decidedBy: `${running.dir}/acl:4: topic read tank/#`,
    nearest: null,
  });
  expect(status).toBe(0);

  expect(await explain('--client c --action read')).toMatchObject({ status: 1, stdout: '' });
  expect((await explain('--topic a --action eat')).stderr).toBe(
    "Error: --action is one of read, write, subscribe, not 'eat'.\n",
  );
  expect((await explain('--topic a/# --action read')).stderr).toBe('explainAcl: Error: "a/#" is not a Topic Name.\n');
  expect((await explain('--topic a --action read --listener 1')).stderr).toBe(
    'explainAcl: Error: No listener on this port.\n',
  );
});

test('broker listListeners has the layout of Mosquitto', async () => {
  const running = await broker();
  const { stdout, status } = await ctrl(running, 'broker', 'listListeners');
  expect(stdout).toBe(
    [
      'Listener 1:',
      `  Port:              ${running.port()}`,
      '  Protocol:          mqtt',
      '  Bind address:      127.0.0.1',
      '  TLS:               false',
      '',
      '',
    ].join('\n'),
  );
  expect(status).toBe(0);
});

test('words that mean nothing end with the status of Mosquitto', async () => {
  const running = await broker();
  expect(await ctrl(running, 'broker', 'nonsense')).toMatchObject({
    status: 13,
    stderr: "Command 'nonsense' not recognised.\n",
  });
  expect(await ctrl(running, 'nonsense', 'x')).toMatchObject({
    status: 10,
    stderr: "Error: Module 'nonsense' not supported.\n",
  });
  expect((await ctrl(running, 'broker', 'listListeners', 'more')).status).toBe(3);
  expect((await ctrl(running)).status).toBe(1);
});

test.each([
  ['nonsense', { command: 'Unknown command', error: 'Payload not valid JSON' }],
  ['{}', { command: 'Unknown command', error: 'Invalid/missing commands' }],
  ['{"commands":[7]}', { command: 'Unknown command', error: 'Command not an object' }],
  ['{"commands":[{}]}', { command: 'Unknown command', error: 'Missing command' }],
  ['{"commands":[{"command":"nope"}]}', { command: 'nope', error: 'Unknown command' }],
  [
    '{"commands":[{"command":"listPlugins","correlationData":7}]}',
    { command: 'listPlugins', error: 'Invalid correlationData data type.' },
  ],
  [
    '{"commands":[{"command":"listPlugins","correlationData":"x"}]}',
    { command: 'listPlugins', data: { plugins: [] }, correlationData: 'x' },
  ],
])('%s is answered in words of Mosquitto', async (payload, response) => {
  const running = await broker();
  const client = await connect(resources, running, tcp5);
  await client.subscribe('$CONTROL/broker/v1/response');
  for (const qos of [0, 1, 2] as const) {
    expect(await client.publish('$CONTROL/broker/v1', payload, { qos, retain: qos === 1 })).toBe(0);
    const text = JSON.stringify({ responses: [response] });
    expect(await client.until(text)).toEqual([]);
  }
});

test('an endpoint that nobody serves is answered to the one who asked', async () => {
  const running = await startBroker(resources, 'moustique', {
    config: ['listener {port} 127.0.0.1', 'allow_anonymous true'],
  });
  const other = await connect(resources, running, tcp5);
  await other.subscribe('$CONTROL/#', 'end');
  const client = await connect(resources, running, tcp5);
  await client.subscribe('$CONTROL/broker/v1/response');
  expect(await client.publish('$CONTROL/broker/v1', '{}')).toBe(0);
  expect(await client.until('{"error": "endpoint not available"}')).toEqual([]);
  // Neither request nor answer are for others.
  await client.publish('end', 'end');
  expect(await other.until('end')).toEqual([]);
});

test('who may not publish to the endpoint is denied as everywhere', async () => {
  const running = await broker();
  const bob = await connect(resources, running, tcp5, { user: 'bob' });
  expect(await bob.publish('$CONTROL/broker/v1', '{}')).toBe(0x87);
});
