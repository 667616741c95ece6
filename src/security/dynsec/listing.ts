/** Lists in answers: names or all about each, from an offset on. */
import type { Json } from '../control-request.ts';
import type { Done } from './commands.ts';
import { sortedNames } from './draft.ts';
import type { Parameters } from './parameters.ts';

/**
 * @param what - `clients`, `groups` or `roles`
 * @param shown - everything about one
 */
export function listed(
  parameters: Parameters,
  what: string,
  table: ReadonlyMap<string, unknown>,
  shown: (name: string) => Json | undefined,
): Done {
  const verbose = parameters.flag('verbose', false);
  const count = parameters.integer('count', -1);
  const offset = Math.max(0, parameters.integer('offset', 0));
  const names = sortedNames(table).slice(offset, count < 0 ? undefined : offset + count);
  return {
    data: { totalCount: table.size, [what]: verbose ? names.map(shown) : names },
    log: [`verbose=${verbose}`, `count=${count}`, `offset=${offset}`],
  };
}
