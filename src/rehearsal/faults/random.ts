/** Faults by chance, the same ones for the same seed. */
import type { FaultCase } from './cases.ts';

const mostFaults = 4;

/** One to four faults, each from the list of those that the run can meet. */
export function* randomCases(
  singles: readonly FaultCase[],
  { seed, runs }: { readonly seed: number; readonly runs: number },
): IterableIterator<FaultCase> {
  const below = randomBelow(seed);
  for (let run = 0; run < runs && singles.length > 0; run++) {
    const chosen = Array.from({ length: 1 + below(mostFaults) }, () => below(singles.length));
    const inOrder = [...new Set(chosen)].sort((a, b) => a - b);
    const cases = inOrder.flatMap((index) => singles[index] ?? []);
    const [first] = cases;
    if (first !== undefined) yield { ...first, faults: cases.flatMap(({ faults }) => faults) };
  }
}

/** mulberry32: 32 bits of state are enough to choose from a list, and Math.random takes no seed. */
function randomBelow(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}
