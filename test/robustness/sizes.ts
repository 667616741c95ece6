/**
 * How large an attack is. `npm test` runs short ones; `MOUSTIQUE_SIEGE=full npx vitest run --project integration test/robustness`
 * runs them at full size and asserts times too, which only a machine with nothing else to do can promise.
 */
export const isFullSiege = process.env['MOUSTIQUE_SIEGE'] === 'full';

export function size(short: number, full: number): number {
  return isFullSiege ? full : short;
}
