/** Seed and count of a sweep inside the tests; `MOUSTIQUE_SEED` and `MOUSTIQUE_COUNT` change them. */
export function sweepOf(count: number): { seed: number; count: number } {
  const { MOUSTIQUE_SEED: seed, MOUSTIQUE_COUNT: wanted } = process.env;
  return { seed: Number(seed ?? 1), count: Number(wanted ?? count) };
}
