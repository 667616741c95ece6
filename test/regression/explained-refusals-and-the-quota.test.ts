/**
 * With `acl_explain` a refused PUBLISH was answered and still counted as unanswered: after as many as Receive Maximum the client was
 * disconnected with 0x93, though it had kept within it.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startBroker } from '../conformance/wire/broker.ts';
import { useResources } from '../harness/resources.ts';
import { tempDir } from '../harness/temp-dir.ts';

const resources = useResources();

test.each([1, 2] as const)('v5 [MQTT-3.3.4-7] a refusal that says why is an answer: QoS %d', async (qos) => {
  const aclFile = join(tempDir(resources), 'acl');
  writeFileSync(aclFile, 'topic write mine\n');
  const broker = await startBroker(resources, { options: { aclFile, aclExplain: true, maxInflightMessages: 2 } });
  const client = await broker.connect();
  for (let count = 0; count < 5; count++) expect(await client.publish({ topic: 'yours', qos })).toBe(0x87);
  expect(await client.publish({ topic: 'mine', qos })).toBe(qos === 1 ? 0x10 : 0);
});
