/** What a rehearsal prints, as data: one shape for every output. docs/rehearsal.md is the contract. */

import { type ErrorInWords, wordsOf } from '../diagnosis/refusals.ts';
import type { HostFacts } from '../host/facts.ts';
import { type HostIdentity, hostIdentity } from '../host/identity.ts';
import type { FaultChoice } from './faults/choice.ts';
import { formatRehearsalFault, type RehearsalFault } from './faults/fault.ts';
import type { Reproduction } from './faults/reduce.ts';
import type { FoundViolation, Sweep, SweepCell, SweepRow } from './faults/sweep.ts';
import type { Violation } from './invariants/invariants.ts';
import type { Loss } from './losses.ts';
import type { Outcome } from './outcome.ts';
import type { Proof } from './proofs.ts';
import type { Blackout, LaneStep, SlotSample } from './record.ts';
import { describeOperation, type Rehearsal, type TracedCall } from './rehearse-once.ts';
import type { Scenario, SingleOperation } from './scenario.ts';
import type { Expectations } from './scenario-file/scenario-file.ts';

export interface RehearsalReport {
  readonly name: string;
  readonly host: HostIdentity;
  readonly kernel: string;
  readonly run: ReportedRun;
  readonly sweep?: ReportedSweep;
  readonly proofs?: readonly Proof[];
  /** What follows is not printed; other outputs are made from it. */
  readonly expect: Expectations;
  /** Whether a Rehearsal file says how the operations must come out. */
  readonly isJudged: boolean;
  /** Whether what did not come as asked is a finding, or only a note. */
  readonly strict: boolean;
  readonly trace: readonly TracedCall[];
}

export interface ReportedRun {
  readonly results: readonly ReportedResult[];
  readonly steps: readonly LaneStep[];
  readonly slots: { readonly peak: number; readonly samples: readonly SlotSample[] };
  readonly blackouts: readonly Blackout[];
  readonly losses: readonly Loss[];
  readonly violations: readonly Violation[];
  /** The run never came to these faults. */
  readonly unmet: readonly string[];
  readonly elapsedMs: number;
  /** Whose milliseconds all times are. */
  readonly clock: Rehearsal['clock'];
}

export interface ReportedResult {
  readonly operation: string;
  readonly result: string;
  readonly verdict?: string;
  readonly expected?: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly error?: ErrorInWords | null;
}

export interface ReportedSweep {
  readonly which: string;
  /** Only `random` has a seed: equal seeds play equal faults. */
  readonly seed?: number;
  /** Every run has these faults, and the cells do not repeat them. */
  readonly always: readonly string[];
  /** So many faults there are to play. */
  readonly cases: number;
  readonly played: number;
  /** So many of the faults the runs that were played stand for (faults/equal-calls.ts). */
  readonly standsFor: number;
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

export interface ReportedRow extends Omit<SweepRow, 'cells'> {
  readonly cells: readonly (Omit<SweepCell, 'example'> & { readonly example: readonly string[] })[];
}

export interface PlayedFaults {
  readonly which: FaultChoice;
  /** Only `random` has a seed. */
  readonly seed: number | undefined;
  readonly always: readonly RehearsalFault[];
  readonly cases: number;
  readonly sweep: Sweep;
  /** There is one for the first violation of each invariant. */
  readonly reproductions: readonly (Reproduction & { readonly found: FoundViolation })[];
}

/** The command that plays a reduced scenario again. */
export type Reproduce = (shortest: Pick<Reproduction, 'scenario' | 'faults'>) => string;

export interface ReportParts extends AskedOfRun {
  readonly scenario: Scenario;
  readonly run: Rehearsal;
  readonly played?: PlayedFaults | undefined;
  readonly proofs?: readonly Proof[] | undefined;
}

/** What the command line and the file say of a run, whatever came of it. */
export interface AskedOfRun {
  /** What was asked for is said where the scenario has no TD that knows it better. */
  readonly asked: { readonly host: HostIdentity; readonly kernel: string };
  readonly expect: Expectations;
  readonly isJudged: boolean;
  readonly strict: boolean;
  readonly reproduce: Reproduce;
}

export function buildReport(parts: ReportParts): RehearsalReport {
  const { scenario, asked, expect, isJudged, strict, reproduce, run, played, proofs } = parts;
  const facts = factsIn(scenario);
  return {
    name: scenario.name,
    host: facts === undefined ? asked.host : hostIdentity(facts),
    kernel: facts?.kernel.rules ?? asked.kernel,
    run: reportedRun(run, facts),
    ...(played === undefined ? {} : { sweep: reportedSweep(played, reproduce) }),
    ...(proofs === undefined ? {} : { proofs }),
    expect,
    isJudged,
    strict,
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
    results: run.results.map(({ operation, result, verdict, error, startMs, endMs }) => {
      const expected = expectedOf(operation);
      return {
        operation: describeOperation(operation),
        result,
        ...(verdict === undefined ? {} : { verdict }),
        ...(expected === undefined ? {} : { expected }),
        startMs,
        endMs,
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
    clock: run.clock,
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
    standsFor: sweep.standsFor,
    cut: sweep.cut,
    outcomes: Object.fromEntries(sweep.outcomes),
    rows: sweep.rows.map((row) => ({
      ...row,
      cells: row.cells.map((cell) => ({
        ...cell,
        example: cell.example.faults.map(formatRehearsalFault),
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
