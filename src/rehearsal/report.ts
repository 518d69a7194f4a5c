/** What a rehearsal prints, as data: one shape for every output. docs/rehearsal.md is the contract. */

import { type ErrorInWords, wordsOf } from '../diagnosis/refusals.ts';
import type { HostFacts } from '../host/facts.ts';
import { formatRehearsalFault, type RehearsalFault } from './faults/fault.ts';
import type { Reproduction } from './faults/reduce.ts';
import type { FoundViolation, Sweep } from './faults/sweep.ts';
import type { Violation } from './invariants/invariants.ts';
import type { Loss } from './losses.ts';
import type { Outcome } from './outcome.ts';
import type { Proof } from './proofs.ts';
import type { LaneStep } from './record.ts';
import { describeOperation, type Rehearsal, type TracedCall } from './rehearse-once.ts';
import { type Scenario, type SingleOperation, singleOperations } from './scenario.ts';
import type { Expectations, FaultChoice } from './scenario-file/scenario-file.ts';

export interface RehearsalReport {
  readonly kind: 'tdctl.Rehearsal';
  readonly version: 1;
  readonly name: string;
  readonly host: string;
  readonly kernel: string;
  readonly run: ReportedRun;
  readonly sweep?: ReportedSweep;
  readonly proofs?: readonly Proof[];
  /** Not printed: what other outputs are made from. */
  readonly expect: Expectations;
  readonly hasExpectations: boolean;
  readonly trace: readonly TracedCall[];
}

export interface ReportedRun {
  readonly results: readonly ReportedResult[];
  readonly steps: readonly LaneStep[];
  readonly slots: {
    readonly peak: number;
    readonly samples: readonly { atMs: number; used: number }[];
  };
  readonly blackouts: readonly { td: string; hop: number; ms: number }[];
  readonly losses: readonly Loss[];
  readonly violations: readonly Violation[];
  /** Faults that the run never came to. */
  readonly unmet: readonly string[];
  readonly elapsedMs: number;
}

export interface ReportedResult {
  readonly operation: string;
  readonly result: string;
  readonly verdict?: string;
  readonly expected?: string;
  readonly error?: ErrorInWords | null;
}

export interface ReportedSweep {
  readonly which: string;
  /** Of `random` only: equal seeds play equal faults. */
  readonly seed?: number;
  /** Faults of every run, which the cells do not repeat. */
  readonly always: readonly string[];
  readonly cases: number;
  readonly played: number;
  readonly cut: boolean;
  readonly outcomes: Readonly<Partial<Record<Outcome, number>>>;
  readonly rows: readonly ReportedRow[];
  readonly violationCount: number;
  readonly violations: readonly {
    readonly invariant: string;
    readonly detail: string;
    readonly faults: readonly string[];
  }[];
  readonly reproductions: readonly {
    readonly invariant: string;
    readonly command: string;
    readonly tries: number;
  }[];
}

export interface ReportedRow {
  readonly lane: string;
  readonly state: string;
  readonly cells: readonly {
    readonly kind: string;
    readonly outcome: Outcome;
    readonly count: number;
    readonly example: readonly string[];
  }[];
}

/** What came of a sweep. */
export interface PlayedFaults {
  readonly which: FaultChoice;
  /** Of `random` only. */
  readonly seed: number | undefined;
  readonly always: readonly RehearsalFault[];
  readonly cases: number;
  readonly sweep: Sweep;
  /** For the first violation of each invariant. */
  readonly reproductions: readonly (Reproduction & { readonly found: FoundViolation })[];
}

/** The command that plays a reduced scenario again. */
export type Reproduce = (shortest: Pick<Reproduction, 'scenario' | 'faults'>) => string;

export interface ReportParts {
  readonly scenario: Scenario;
  /** As it was asked for: said where the scenario has no TD that knows it better. */
  readonly asked: { readonly host: string; readonly kernel: string };
  readonly expect: Expectations;
  readonly reproduce: Reproduce;
  readonly run: Rehearsal;
  readonly played?: PlayedFaults | undefined;
  readonly proofs?: readonly Proof[] | undefined;
}

export function buildReport(parts: ReportParts): RehearsalReport {
  const { scenario, asked, expect, reproduce, run, played, proofs } = parts;
  const expectsResults = singleOperations(scenario.operations).some(
    (operation) => expectedOf(operation) !== undefined,
  );
  const facts = factsIn(scenario);
  return {
    kind: 'tdctl.Rehearsal',
    version: 1,
    name: scenario.name,
    host: facts?.name ?? asked.host,
    kernel: facts?.kernel.rules ?? asked.kernel,
    run: reportedRun(run, facts),
    ...(played === undefined ? {} : { sweep: reportedSweep(played, reproduce) }),
    ...(proofs === undefined ? {} : { proofs }),
    expect,
    hasExpectations: expectsResults || Object.values(expect).some((each) => each !== undefined),
    trace: run.trace,
  };
}

/** All TDs of a scenario are on one host. */
export function factsIn({ tds }: Scenario): HostFacts | undefined {
  return [...tds.values()][0]?.facts;
}

function reportedRun(run: Rehearsal, host: HostFacts | undefined): ReportedRun {
  const { record } = run;
  return {
    results: run.results.map(({ operation, result, verdict, error }) => {
      const expected = expectedOf(operation);
      return {
        operation: describeOperation(operation),
        result,
        ...(verdict === undefined ? {} : { verdict }),
        ...(expected === undefined ? {} : { expected }),
        ...(error === undefined ? {} : { error: error && wordsOf(error, host) }),
      };
    }),
    steps: record.steps,
    slots: { peak: record.peakSlots, samples: record.slots },
    blackouts: record.blackouts,
    losses: run.losses,
    violations: run.violations,
    unmet: run.unmet.map(formatRehearsalFault),
    elapsedMs: run.elapsedMs,
  };
}

function expectedOf(operation: SingleOperation): string | undefined {
  return 'expect' in operation ? operation.expect : undefined;
}

function reportedSweep(
  { which, seed, always, cases, sweep, reproductions }: PlayedFaults,
  reproduce: Reproduce,
): ReportedSweep {
  return {
    which,
    ...(seed === undefined ? {} : { seed }),
    always: always.map(formatRehearsalFault),
    cases,
    played: sweep.played,
    cut: sweep.cut,
    outcomes: Object.fromEntries(sweep.outcomes),
    rows: sweep.rows.map(({ lane, state, cells }) => ({
      lane,
      state,
      cells: cells.map(({ kind, outcome, count, example }) => ({
        kind,
        outcome,
        count,
        example: example.faults.map(formatRehearsalFault),
      })),
    })),
    violationCount: sweep.violationCount,
    violations: sweep.violations.map(({ violation, faults }) => ({
      invariant: violation.invariant,
      detail: violation.detail,
      faults: faults.map(formatRehearsalFault),
    })),
    reproductions: reproductions.map(({ found, tries, ...shortest }) => ({
      invariant: found.violation.invariant,
      command: reproduce(shortest),
      tries,
    })),
  };
}
