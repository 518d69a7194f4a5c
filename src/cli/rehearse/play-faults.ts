/** The sweep of `--faults`, with progress on a terminal, and what was found when it is interrupted. */
import {
  type FaultCase,
  type PlayedFaults,
  pairCount,
  pairsOf,
  type Rehearsal,
  type RehearsalFault,
  randomCases,
  reduce,
  representative,
  type Scenario,
  type StageOptions,
  singleFaults,
  sweep,
} from '../../rehearsal/index.ts';
import type { Interrupts } from '../interrupts.ts';
import type { CommandIo } from '../io.ts';
import { formatDuration } from '../output/units.ts';
import type { Numbers } from './options.ts';
import type { Source } from './source.ts';

export interface PlayFaultsOptions {
  readonly place: StageOptions;
  readonly scenario: Scenario;
  readonly run: Rehearsal;
  readonly which: Source['faults'];
  /** Every run has these faults; those that the command line cannot leave out are `kept`. */
  readonly always: readonly RehearsalFault[];
  readonly kept: readonly RehearsalFault[];
  readonly numbers: Numbers;
  readonly interrupts: Interrupts;
  readonly io: CommandIo;
}

export async function playFaults(options: PlayFaultsOptions): Promise<PlayedFaults> {
  const { place, scenario, which, always, kept, numbers, interrupts, io } = options;
  const { cases, count } = casesOf(options);
  const stop = new AbortController();
  interrupts.onInterrupt(() => stop.abort());
  if (interrupts.received !== undefined) stop.abort();
  const progress = new Progress(io, count);
  const swept = await sweep({
    place,
    scenario,
    cases,
    always,
    signal: stop.signal,
    onCase: (done) => progress.show(done),
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

function casesOf({ run, which, numbers }: PlayFaultsOptions): {
  readonly cases: Iterable<FaultCase>;
  readonly count: number;
} {
  const singles = singleFaults(run.trace);
  if (which === 'random') {
    const { seed, runs } = numbers;
    return { cases: randomCases(singles, { seed, runs }), count: runs };
  }
  if (which === 'each') return { cases: singles, count: singles.length };
  const chosen = representative(singles);
  return { cases: pairsOf(chosen), count: pairCount(chosen) };
}

/** A line that is redrawn in place; it is not shown where stderr is no terminal. */
class Progress {
  readonly #io: CommandIo;
  readonly #count: number;
  readonly #startedAt = performance.now();
  #shownAt = 0;

  constructor(io: CommandIo, count: number) {
    this.#io = io;
    this.#count = count;
  }

  show(done: number): void {
    const now = performance.now();
    if (!this.#io.stderrIsTty || now - this.#shownAt < 100) return;
    this.#shownAt = now;
    const left = ((now - this.#startedAt) / done) * (this.#count - done);
    this.#io.stderr.write(
      `\r\u001b[K${done} of ${this.#count} runs, about ${formatDuration(left)} left`,
    );
  }

  end(): void {
    if (this.#shownAt > 0) this.#io.stderr.write('\r\u001b[K');
  }
}
