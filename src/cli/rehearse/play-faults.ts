/** The sweep of `--faults`, with progress, and what was found when it is interrupted. */
import {
  type FaultCase,
  leastPlayed,
  type Place,
  type PlayedFaults,
  pairCount,
  pairsOf,
  type RehearsalFault,
  randomCases,
  reduce,
  representative,
  type Scenario,
  sweep,
} from '../../rehearsal/index.ts';
import type { Interrupts } from '../interrupts.ts';
import type { Numbers } from './options.ts';
import type { Progress } from './progress.ts';
import type { Source } from './source.ts';

export interface PlayFaultsOptions {
  readonly place: Place;
  readonly scenario: Scenario;
  /** All that the run could have met, one at a time. */
  readonly singles: readonly FaultCase[];
  /** The same, with those in one that are equal. */
  readonly collapsed: () => readonly FaultCase[];
  readonly which: Source['faults'];
  /** Every run has these faults; those that the command line cannot leave out are `kept`. */
  readonly always: readonly RehearsalFault[];
  readonly kept: readonly RehearsalFault[];
  readonly numbers: Numbers;
  readonly interrupts: Interrupts;
  readonly progress: Progress;
}

export async function playFaults(options: PlayFaultsOptions): Promise<PlayedFaults> {
  const { place, scenario, which, always, kept, numbers, interrupts, progress } = options;
  const { cases, count, runs } = casesOf(options);
  const stop = new AbortController();
  interrupts.onInterrupt(() => stop.abort());
  if (interrupts.received !== undefined) stop.abort();
  const swept = await sweep({
    place,
    scenario,
    cases,
    always,
    signal: stop.signal,
    onCase: (done) => progress.show(done, { total: runs, unit: 'runs' }),
  });
  progress.end();
  const firsts = swept.violations.filter(
    ({ violation }, index, all) =>
      all.findIndex((each) => each.violation.invariant === violation.invariant) === index,
  );
  const reproductions = [];
  for (const found of firsts) {
    reproductions.push({ ...(await reduce({ place, scenario, found, kept })), found });
  }
  const seed = which === 'random' ? numbers.seed : undefined;
  return { which, seed, always, cases: count, sweep: swept, reproductions };
}

interface Cases {
  readonly cases: Iterable<FaultCase>;
  /** So many faults, and so many runs at the least. */
  readonly count: number;
  readonly runs: number;
}

function casesOf({ singles, collapsed, which, numbers }: PlayFaultsOptions): Cases {
  switch (which) {
    case 'random': {
      const { seed, runs } = numbers;
      return { cases: randomCases(singles, { seed, runs }), count: runs, runs };
    }
    case 'each': {
      const cases = collapsed();
      const runs = cases.reduce((sum, each) => sum + leastPlayed(each), 0);
      return { cases, count: singles.length, runs };
    }
    case 'pairs': {
      const chosen = representative(singles);
      const count = pairCount(chosen);
      return { cases: pairsOf(chosen), count, runs: count };
    }
    default:
      return { cases: singles, count: singles.length, runs: singles.length };
  }
}
