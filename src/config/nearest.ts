/** "Did you mean": the nearest of some known words. */

/** How many letters must be changed, added, dropped or swapped with their neighbour to get from one word to the other (optimal string alignment). */
export function distance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const isSame = from[row - 1] === to[column - 1];
      let best = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (isSame ? 0 : 1),
      );
      const isSwap = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (isSwap) best = Math.min(best, (beforeLast[column - 2] ?? 0) + 1);
      current.push(best);
    }
    beforeLast = last;
    last = current;
  }
  return last[to.length] ?? 0;
}

/** Upper and lower case, dashes and underscores are what people get wrong first, so they count for nothing. */
const plain = (word: string): string => word.toLowerCase().replaceAll(/[-_]/g, '');

/**
 * The known word that was probably meant, or undefined: the only one that begins so (from three letters on), else the
 * one with the fewest typing errors, of which a third of the letters may be wrong. The first of equals wins.
 */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  const wanted = plain(word);
  let best: string | undefined;
  let fewest = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  const longer: string[] = [];
  for (const candidate of known) {
    const letters = plain(candidate);
    if (wanted.length >= 3 && letters.startsWith(wanted)) longer.push(candidate);
    // One letter can become any other, so for words this short a single error says nothing.
    if (Math.min(wanted.length, letters.length) < 2 && wanted !== letters) continue;
    const errors = distance(wanted, letters);
    if (errors < fewest) {
      fewest = errors;
      best = candidate;
    }
  }
  return best ?? (longer.length === 1 ? longer[0] : undefined);
}
