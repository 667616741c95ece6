import { expect, test } from 'vitest';
import { startBroker } from '../harness/brokers.ts';
import { useResources } from '../harness/resources.ts';
import { runTool } from '../harness/tools.ts';
import { waitFor } from '../harness/wait.ts';

const resources = useResources();

test.each([
  ['commit', /persistence_sync commit: what is acknowledged is on disk\./],
  ['interval 250 ms', /persistence_sync interval 250 ms: what is acknowledged survives the end of the process, and /],
  ['os', /persistence_sync os: what is acknowledged survives the end of the process, and /],
])('the level is in the log at the start, and under $SYS: %s', async (level, line) => {
  const broker = await startBroker(resources, 'moustique', {
    config: [
      ...['listener {port} 127.0.0.1', 'allow_anonymous true', 'log_dest stderr', 'log_type all'],
      ...['persistence true', 'persistence_location {dir}/', `persistence_sync ${level}`],
    ],
  });
  const topic = '$SYS/broker/store/durability';
  const { stdout } = await runTool('moustique', 'sub', [
    '-p',
    String(broker.port()),
    '-t',
    topic,
    '-C',
    '1',
    '-W',
    '30',
  ]);
  expect(stdout).toBe(`${level}\n`);
  await waitFor('the line', () => line.test(broker.process.stderr));
});
