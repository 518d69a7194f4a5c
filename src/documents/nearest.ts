/** Finds the word a person probably meant. */

/** The candidate nearest to a mistyped word, or undefined when none is near. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const wanted = fold(word);
  if (wanted === '' || wanted.length > 64) return undefined;
  let best: { readonly candidate: string; readonly distance: number } | undefined;
  for (const candidate of candidates) {
    const folded = fold(candidate);
    const distance = isAbbreviation(wanted, folded) ? 1 : boundedDistance(wanted, folded);
    if (distance > allowedDistance(wanted, folded)) continue;
    if (best === undefined || distance < best.distance) best = { candidate, distance };
  }
  return best?.candidate;
}

/** `max_vcpus`, `max-vcpus` and `MaxVCPUs` are all meant to be `maxVcpus`. */
function fold(word: string): string {
  return word.toLowerCase().replace(/[-_ .]/g, '');
}

/** Takes `mem` for `memory`, and `meas` for `measurement`. */
function isAbbreviation(short: string, long: string): boolean {
  return short.length >= 3 && long.startsWith(short);
}

/** A third of the longer word may differ, so that short names do not stand for everything. */
function allowedDistance(one: string, other: string): number {
  return Math.max(1, Math.floor(Math.max(one.length, other.length) / 3));
}

/** Words of very different length need no table, so 100,000 unknown keys are answered soon. */
function boundedDistance(one: string, other: string): number {
  const difference = Math.abs(one.length - other.length);
  return difference > allowedDistance(one, other) ? difference : editDistance(one, other);
}

/** This is the optimal string alignment distance: a swap of neighbours counts once. */
export function editDistance(from: string, to: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      let cost = Math.min(
        at(previous, column) + 1,
        at(current, column - 1) + 1,
        at(previous, column - 1) + (same ? 0 : 1),
      );
      const swapped =
        row > 1 &&
        column > 1 &&
        from[row - 1] === to[column - 2] &&
        from[row - 2] === to[column - 1];
      if (swapped) cost = Math.min(cost, at(beforePrevious, column - 2) + 1);
      current.push(cost);
    }
    beforePrevious = previous;
    previous = current;
  }
  return at(previous, to.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
