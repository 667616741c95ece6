/**
 * Random scripts, played to Debian's mosquitto 2.0.11 and to our broker; what clients see is compared.
 *
 *     DIFFERENTIAL_SCRIPTS=2000 npx vitest run --project integration test/differential     more of them
 *     DIFFERENTIAL_SEED=123 npx vitest run --project integration test/differential         the same ones again
 */
import { randomInt } from 'node:crypto';
import { expect, test } from 'vitest';
import { Random } from '../fuzz/mutation.ts';
import { startBroker } from '../harness/brokers.ts';
import { describeWith } from '../harness/programs.ts';
import { useResources } from '../harness/resources.ts';
import { type Action, actionOf, versions } from '../model/actions.ts';
import { knownDifferences } from './differences.ts';
import { Script } from './script.ts';

const seed = Number(process.env['DIFFERENTIAL_SEED'] ?? randomInt(2 ** 31));
const scripts = Number(process.env['DIFFERENTIAL_SCRIPTS'] ?? 40);
const steps = 24;
const resources = useResources();
// Overlapping subscriptions get a copy each in 2.1 without being told.
const config = ['listener {port} 127.0.0.1', 'allow_anonymous true', 'allow_duplicate_messages true'];

function randomAction(random: Random): Action {
  return actionOf(random.u32() * 2 ** 16 + (random.u32() % 2 ** 16));
}

/** Every client connects once before anything else happens. */
function connectOf(random: Random, client: number): Action {
  for (;;) {
    const action = randomAction(random);
    if (action.kind === 'connect') return { ...action, client };
  }
}

/** What one of the brokers sent and the other did not. */
function unmatched(theirs: readonly string[], ours: readonly string[]): string[] {
  const left = [...ours];
  const missing = theirs.filter((line) => {
    const at = left.indexOf(line);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  return [...missing, ...left];
}

describeWith(['mosquitto'], 'mosquitto 2.0.11', () => {
  test(`random scripts of ${steps} steps are answered as by mosquitto`, async () => {
    const ours = await startBroker(resources, 'moustique', { config });
    const theirs = await startBroker(resources, 'mosquitto', { config });
    const different: string[] = [];
    let knownCount = 0;
    const run = String(seed % 1_000_000);
    for (let index = 0; index < scripts; index++) {
      const random = new Random(seed + index);
      const played = {
        theirs: new Script(theirs.port(), `r${run}n${index}`),
        ours: new Script(ours.port(), `r${run}n${index}`),
      };
      const told: string[] = [];
      for (let step = 0; step < steps; step++) {
        const action = step < versions.length ? connectOf(random, step) : randomAction(random);
        const [wanted, found] = await Promise.all([
          played.theirs.step(action, `m${step}`),
          played.ours.step(action, `m${step}`),
        ]);
        told.push(JSON.stringify(action));
        const lines = wanted.map((they, at) => unmatched(they, found[at] ?? []));
        const causes = lines.flat().map((line) => knownDifferences.find((known) => known.isThis(action, line)));
        if (causes.every((known) => known?.isHarmless)) continue;
        if (causes.every((known) => known !== undefined)) {
          knownCount++;
          break; // from here on the two have different histories
        }
        const client = lines.findIndex((some) => some.length > 0);
        const [they, we] = [wanted[client] ?? [], found[client] ?? []].map((some) => some.join(', '));
        different.push(
          `script ${index}, client ${client}\n${told.join('\n')}\n  mosquitto: ${they}\n  moustique: ${we}`,
        );
        break;
      }
      played.theirs.close();
      played.ours.close();
    }
    console.log(
      `differential: ${scripts} scripts of ${steps} steps, ${knownCount} ended at a known difference, DIFFERENTIAL_SEED=${seed}`,
    );
    expect(different.slice(0, 5).join('\n\n'), `${different.length} scripts, again: DIFFERENTIAL_SEED=${seed}`).toBe(
      '',
    );
  }, 1_800_000);
});
