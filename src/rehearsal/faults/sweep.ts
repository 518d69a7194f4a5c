/** Plays a scenario under one case of faults after the other, and keeps no more than the counts. */
import type { RehearsalHooks } from '../hooks.ts';
import type { Violation } from '../invariants/invariants.ts';
import { type Outcome, outcomeOf } from '../outcome.ts';
import { type Place, playerOf } from '../player.ts';
import type { Rehearsal } from '../rehearse-once.ts';
import type { Scenario } from '../scenario.ts';
import type { FaultCase } from './cases.ts';
import { playEqual, type Representative } from './equal-calls.ts';
import { isDeath, type RehearsalFault } from './fault.ts';

export interface SweepOptions {
  readonly place: Place;
  readonly scenario: Scenario;
  readonly cases: Iterable<FaultCase>;
  /** Every run has these faults besides those of its case. */
  readonly always?: readonly RehearsalFault[] | undefined;
  readonly hooks?: RehearsalHooks | undefined;
  /** Called after each case; a sweep ends early when `signal` aborts. */
  readonly onCase?: ((done: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Sweep {
  readonly played: number;
  /** So many faults the runs that were played stand for. */
  readonly standsFor: number;
  /** The sweep was ended before all cases were played. */
  readonly cut: boolean;
  /** So many faults came to each. */
  readonly outcomes: ReadonlyMap<Outcome, number>;
  readonly rows: readonly SweepRow[];
  /** Only the first violation of each kind is kept. */
  readonly violations: readonly FoundViolation[];
  readonly violationCount: number;
}

/** A row is one step of one VM. */
export interface SweepRow {
  readonly lane: string;
  readonly state: string;
  /** How long the runs of this row took together, by the clock of the machine. */
  readonly elapsedMs: number;
  readonly cells: readonly SweepCell[];
}

/**
 * A cell has the faults of one kind within that step that came to one outcome, whichever call they hit.
 * Cases of several faults are told by the first: a cell for every combination would grow with the sweep.
 */
export interface SweepCell {
  /** Such as `KVM_CREATE_VCPU: allocate = ENOMEM`. */
  readonly kind: string;
  readonly outcome: Outcome;
  /** So many runs were played, and stand for so many faults. */
  readonly count: number;
  readonly standsFor: number;
  readonly example: FaultCase;
}

export interface FoundViolation {
  readonly violation: Violation;
  /** All faults of the run, with those that every run has. */
  readonly faults: readonly RehearsalFault[];
}

/** So many different violations are kept; all are counted. */
const mostViolations = 20;

/** What is kept of a run. */
type PlayedCase = Pick<Rehearsal, 'violations' | 'elapsedMs'> & { readonly outcome: Outcome };

export async function sweep(options: SweepOptions): Promise<Sweep> {
  const { place, scenario, always = [], hooks, onCase, signal } = options;
  const player = playerOf(place);
  const table = new SweepTable();
  let played = 0;
  let cut = false;
  const play = async (faultCase: FaultCase): Promise<PlayedCase | undefined> => {
    if (signal?.aborted === true) {
      cut = true;
      return undefined;
    }
    const faults = [...always, ...faultCase.faults];
    const rehearsal = await player({ scenario, faults, hooks, signal });
    if (rehearsal === undefined) {
      cut = true;
      return undefined;
    }
    const { violations, elapsedMs } = rehearsal;
    for (const violation of violations) table.note(violation, faults);
    played += 1;
    onCase?.(played);
    return { violations, elapsedMs, outcome: outcomeOf(rehearsal) };
  };
  for (const each of options.cases) {
    for (const shown of await playEqual(each, { play, isSame })) table.add(shown);
    if (cut) break;
  }
  return { played, cut, ...table.result() };
}

/** Runs that broke different invariants are not the same, though both are violations. */
function isSame(one: PlayedCase, other: PlayedCase): boolean {
  const broken = ({ violations }: PlayedCase) =>
    violations.map(({ invariant }) => invariant).join();
  return one.outcome === other.outcome && broken(one) === broken(other);
}

type Cell = Omit<SweepCell, 'count' | 'standsFor'> & { count: number; standsFor: number };
type Row = { lane: string; state: string; elapsedMs: number; cells: Cell[] };

class SweepTable {
  readonly #outcomes = new Map<Outcome, number>();
  readonly #rows = new Map<string, Row>();
  readonly #violations = new Map<string, FoundViolation>();
  #violationCount = 0;

  add({ faultCase, played, standsFor }: Representative<PlayedCase>): void {
    const { outcome, elapsedMs } = played;
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + standsFor);
    const { lane, state } = faultCase;
    const key = `${lane}\n${state}`;
    const row = this.#rows.get(key) ?? { lane, state, elapsedMs: 0, cells: [] };
    this.#rows.set(key, row);
    row.elapsedMs += elapsedMs;
    const kind = kindOfCase(faultCase);
    const known = row.cells.find((cell) => cell.kind === kind && cell.outcome === outcome);
    if (known === undefined) {
      row.cells.push({ kind, outcome, count: 1, standsFor, example: faultCase });
    } else {
      known.count += 1;
      known.standsFor += standsFor;
    }
  }

  result(): Omit<Sweep, 'played' | 'cut'> {
    return {
      standsFor: [...this.#outcomes.values()].reduce((sum, number) => sum + number, 0),
      outcomes: this.#outcomes,
      rows: [...this.#rows.values()],
      violations: [...this.#violations.values()],
      violationCount: this.#violationCount,
    };
  }

  /** @param faults those of the case and those of every run */
  note(violation: Violation, faults: readonly RehearsalFault[]): void {
    this.#violationCount += 1;
    const { invariant, after } = violation;
    const key = `${invariant} ${after ?? ''} ${faults.map(kindOf).join(' ')}`;
    if (this.#violations.has(key) || this.#violations.size >= mostViolations) return;
    this.#violations.set(key, { violation, faults });
  }
}

function kindOfCase({ faults: [first, ...more] }: FaultCase): string {
  if (first === undefined) return 'none';
  return more.length === 0 ? kindOf(first) : `${kindOf(first)}, and more`;
}

/** A fault without the number of its call. */
export function kindOf(fault: RehearsalFault): string {
  if (isDeath(fault)) return `${fault.dies} dies at ${fault.at}`;
  if ('answer' in fault)
    return `${fault.at} = ${fault.answer}${fault.operand ? `|${fault.operand}` : ''}`;
  if ('errno' in fault) return `${fault.at} = ${fault.errno}`;
  if ('signalBeforePage' in fault) return `${fault.at} = signal`;
  return `${fault.at} = ${fault.event.kind}`;
}
