/**
 * The word of a list that a writer most probably meant.
 *
 * Distance is counted in single edits: a letter put in, left out, replaced, or two neighbours swapped. The cost is
 * O(words × length²), for the moment in which something is already wrong; never call it per message.
 */

/**
 * The nearest candidate, or `undefined` when nothing is close enough to be worth naming.
 *
 * @param word - what was written; only its first 100 characters are looked at
 * @param candidates - the words that would have been right
 * @returns the candidate with the fewest edits, at most one edit per three letters (and at least two for words of
 *   four letters or more); the first one listed wins a tie
 */
export function nearestWord(word: string, candidates: Iterable<string>): string | undefined {
  const written = word.slice(0, 100).toLowerCase();
  let limit = written.length < 4 ? 1 : Math.max(2, Math.floor(written.length / 3));
  let best: string | undefined;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - written.length) > limit) continue;
    const distance = editDistance(written, candidate.toLowerCase());
    if (distance > limit || (best !== undefined && distance === limit)) continue;
    best = candidate;
    limit = distance;
    if (distance === 0) break;
  }
  return best;
}

/**
 * How many single edits turn one word into the other (optimal string alignment: a swapped pair counts once).
 *
 * @returns 0 for equal words, at most the length of the longer one
 */
export function editDistance(from: string, to: string): number {
  const width = to.length + 1;
  let beforeLast = Array.from({ length: width }, () => 0);
  let last = Array.from({ length: width }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = Array.from({ length: width }, () => row);
    for (let column = 1; column < width; column++) {
      const isSame = from[row - 1] === to[column - 1];
      let cost = Math.min(at(last, column) + 1, at(current, column - 1) + 1, at(last, column - 1) + (isSame ? 0 : 1));
      const isSwap = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (isSwap) cost = Math.min(cost, at(beforeLast, column - 2) + 1);
      current[column] = cost;
    }
    beforeLast = last;
    last = current;
  }
  return at(last, to.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? 0;
}
