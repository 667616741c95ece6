/** One run: many steps, then everything is let go on until nothing is under way, then everybody leaves. */
import { Chance } from './chance.ts';
import { Steps } from './steps.ts';
import { World } from './world.ts';

/** @throws Error - what the broker did wrong first, and at which step */
export async function play(seed: number, steps: number): Promise<void> {
  const chance = new Chance(seed);
  const world = new World(chance, {
    ...{ allowsDuplicates: chance.below(3) > 0, queuesQos0: chance.oneIn(3), isSlowStore: chance.oneIn(2) },
    queueMax: chance.oneIn(3) ? 3 : 0,
  });
  const actor = new Steps(world, chance);
  let step = 0;
  try {
    for (; step < steps; step++) {
      await actor.step();
      if (chance.below(3) > 0) await world.endTurn();
      if (step % 100 === 99) {
        await world.endTurn();
        sameAsWritten(world);
      }
    }
    await settle(world, actor);
    const missing = world.oracle.missing();
    if (missing.length > 0) throw new Error(`did not come:\n${missing.slice(0, 5).join('\n')}`);
    sameAsWritten(world);
    await leave(world, actor);
    nothingLeft(world);
  } catch (error) {
    throw new Error(`seed ${seed}, step ${step}: ${String(error)}`, { cause: error });
  }
}

async function settle(world: World, actor: Steps): Promise<void> {
  for (const client of world.clients) {
    if (client.line === null && world.oracle.sessions.has(client.id)) await actor.connect(client, false, true);
  }
  for (let isQuiet = false; !isQuiet; ) {
    isQuiet = true;
    for (const client of world.clients) {
      client.line?.unblock();
      if (client.tail !== null) await world.send(client, [], false);
      for (let answer = world.answer(client); answer !== null; answer = world.answer(client)) {
        isQuiet = false;
        await world.send(client, [answer], false);
      }
    }
    world.ledger.commit();
    await world.endTurn();
    if (world.clients.some(({ answers }) => answers.length > 0)) isQuiet = false;
  }
}

async function leave(world: World, actor: Steps): Promise<void> {
  for (const client of world.clients) {
    await actor.connect(client, true, false);
    await world.endTurn();
  }
  for (const client of world.clients) {
    world.cut(client);
    await world.endTurn();
  }
  world.ledger.commit();
  await world.endTurn();
}

function sameAsWritten(world: World): void {
  const { written, held } = world.ledger.compare();
  const [onlyWritten] = written.filter((line, index) => held[index] !== line);
  const [onlyHeld] = held.filter((line, index) => written[index] !== line);
  if (onlyWritten === undefined && onlyHeld === undefined) return;
  throw new Error(`the store has\n${onlyWritten}\nand the engine holds\n${onlyHeld}`);
}

function nothingLeft({ broker }: World): void {
  const { engine } = broker;
  const { retained, holdings, groups, tree, sessions, awaitingCommit } = engine;
  const left = {
    ...{ messages: holdings.count - retained.count, sessions: sessions.size, groups: groups.size },
    ...{
      subscriptions: engine.subscriptionsCount + engine.sharedSubscriptionsCount,
      filters: [...tree.entries()].length,
    },
    ...{ packets: engine.packetsOutCount, bytes: engine.packetsOutBytes, awaiting: awaitingCommit.size },
    ...{ deliveries: broker.gauges().deliveriesWaiting, connections: engine.connectionsCount },
  };
  const what = Object.entries(left).filter(([, count]) => count !== 0);
  if (what.length > 0) throw new Error(`left when everybody has gone: ${JSON.stringify(what)}`);
}
