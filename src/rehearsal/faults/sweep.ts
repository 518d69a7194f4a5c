/** Plays a scenario under one case of faults after the other, and keeps no more than the counts. */
import type { RehearsalHooks } from '../hooks.ts';
import type { Violation } from '../invariants/invariants.ts';
import { type Outcome, outcomeOf } from '../outcome.ts';
import { type Rehearsal, rehearseSimulated } from '../rehearse-once.ts';
import type { Scenario } from '../scenario.ts';
import type { StageOptions } from '../stage.ts';
import type { FaultCase } from './cases.ts';
import { isDeath, type RehearsalFault } from './fault.ts';

export interface SweepOptions {
  readonly place: StageOptions;
  readonly scenario: Scenario;
  readonly cases: Iterable<FaultCase>;
  /** Faults of every run, besides those of its case. */
  readonly always?: readonly RehearsalFault[] | undefined;
  readonly hooks?: RehearsalHooks | undefined;
  /** Called after each case; a sweep ends early when `signal` aborts. */
  readonly onCase?: ((done: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Sweep {
  readonly played: number;
  /** The sweep was ended before all cases were played. */
  readonly cut: boolean;
  readonly outcomes: ReadonlyMap<Outcome, number>;
  readonly rows: readonly SweepRow[];
  /** The first of each kind. */
  readonly violations: readonly FoundViolation[];
  readonly violationCount: number;
}

/** One step of one VM. */
export interface SweepRow {
  readonly lane: string;
  readonly state: string;
  readonly cells: readonly SweepCell[];
}

/**
 * Faults of one kind within that step, whichever call they hit; a cell for each outcome. Cases of
 * several faults are told by the first: a cell for every combination would grow with the sweep.
 */
export interface SweepCell {
  /** `KVM_CREATE_VCPU: allocate = ENOMEM`. */
  readonly kind: string;
  readonly outcome: Outcome;
  readonly count: number;
  readonly example: FaultCase;
}

export interface FoundViolation {
  readonly violation: Violation;
  /** All of the run, also those of every run. */
  readonly faults: readonly RehearsalFault[];
}

/** So many different ones are kept; all are counted. */
const mostViolations = 20;

export async function sweep(options: SweepOptions): Promise<Sweep> {
  const { place, scenario, always = [], hooks, onCase, signal } = options;
  const table = new SweepTable();
  let played = 0;
  let cut = false;
  for (const each of options.cases) {
    if (signal?.aborted === true) {
      cut = true;
      break;
    }
    const faults = [...always, ...each.faults];
    table.add(each, {
      faults,
      rehearsal: await rehearseSimulated(place, { scenario, faults, hooks }),
    });
    played += 1;
    onCase?.(played);
  }
  return { played, cut, ...table.result() };
}

interface Played {
  /** All of them, those of the case and those of every run. */
  readonly faults: readonly RehearsalFault[];
  readonly rehearsal: Rehearsal;
}

class SweepTable {
  readonly #outcomes = new Map<Outcome, number>();
  readonly #cells = new Map<
    string,
    SweepCell & { readonly lane: string; readonly state: string }
  >();
  readonly #violations = new Map<string, FoundViolation>();
  #violationCount = 0;

  add(faultCase: FaultCase, { faults, rehearsal }: Played): void {
    const outcome = outcomeOf(rehearsal);
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1);
    const { lane, state } = faultCase;
    const kind = kindOfCase(faultCase);
    const key = [lane, state, kind, outcome].join('\n');
    const before = this.#cells.get(key);
    this.#cells.set(key, {
      lane,
      state,
      kind,
      outcome,
      count: (before?.count ?? 0) + 1,
      example: before?.example ?? faultCase,
    });
    for (const violation of rehearsal.violations) this.#note(violation, faults);
  }

  result(): Omit<Sweep, 'played' | 'cut'> {
    const rows = new Map<string, { lane: string; state: string; cells: SweepCell[] }>();
    for (const { lane, state, ...cell } of this.#cells.values()) {
      const key = `${lane}\n${state}`;
      const row = rows.get(key) ?? { lane, state, cells: [] };
      row.cells.push(cell);
      rows.set(key, row);
    }
    return {
      outcomes: this.#outcomes,
      rows: [...rows.values()],
      violations: [...this.#violations.values()],
      violationCount: this.#violationCount,
    };
  }

  #note(violation: Violation, faults: readonly RehearsalFault[]): void {
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
