/** A rehearsal for JUnit: a test case for each operation and for each step of the sweep. */
import { type JunitCase, type JunitSuite, junitText } from '../documents/junit.ts';
import { cameTo, isUnexpected, unmetExpectations } from './expectations.ts';
import type { RehearsalReport, ReportedResult, ReportedSweep } from './report.ts';

export function junit(report: RehearsalReport): string {
  const suite = junitSuite(report);
  return junitText(suite.name, [suite]);
}

/** The rehearsal under one kernel. Times are those of its machine. */
export function junitSuite(report: RehearsalReport): JunitSuite {
  return {
    name: `${report.name} (${report.kernel})`,
    ms: report.run.elapsedMs + sweptMs(report.sweep),
    cases: [
      ...runCases(report),
      ...(report.sweep ? sweepCases(report.sweep) : []),
      ...(report.proofs ? [proofsCase(report.proofs)] : []),
    ],
  };
}

function sweptMs(sweep: ReportedSweep | undefined): number {
  return (sweep?.rows ?? []).reduce((sum, { elapsedMs }) => sum + elapsedMs, 0);
}

function runCases(report: RehearsalReport): JunitCase[] {
  const { run, isJudged } = report;
  const invariant: JunitCase = {
    group: 'invariants',
    name: 'all invariants hold',
    ms: 0,
    failure: listed(run.violations.map((each) => `${each.invariant}: ${each.detail}`)),
  };
  const expected: JunitCase = {
    group: 'expectations',
    name: 'the run is as expected',
    ms: 0,
    ...findingOrNote(report, listed(unmetExpectations(report))),
  };
  const unmet = run.unmet.map(
    (fault): JunitCase => ({
      group: 'faults asked for',
      name: fault,
      ms: 0,
      ...findingOrNote(report, 'the run never came to it'),
    }),
  );
  return [
    ...run.results.map((result) => operationCase(result, report)),
    invariant,
    ...(isJudged ? [expected] : []),
    ...unmet,
  ];
}

function operationCase(result: ReportedResult, report: RehearsalReport): JunitCase {
  const { operation: name, startMs, endMs, error } = result;
  const head = { group: 'operations', name, ms: endMs - startMs };
  if (!isUnexpected(result)) return head;
  // Without a file that asks for it, an operation on a TD that is gone says nothing of its own.
  if (result.result === 'skipped' && !report.isJudged) return { ...head, skipped: '' };
  return { ...head, ...findingOrNote(report, error?.message ?? cameTo(result)) };
}

/** What did not come as asked fails, unless the file wants to hear of it only. */
function findingOrNote(
  { strict }: RehearsalReport,
  words: string | undefined,
): Pick<JunitCase, 'failure' | 'skipped'> {
  return strict ? { failure: words } : { skipped: words };
}

function sweepCases({ rows, violations }: ReportedSweep): JunitCase[] {
  return rows.map(({ lane, state, elapsedMs, cells }) => {
    const broken = cells.filter(({ outcome }) => outcome === 'violation');
    const details = broken.map(({ kind, example }) => `${kind}: ${example.join(' and ')}`);
    const known = violations.map(({ invariant, detail }) => `${invariant}: ${detail}`);
    return {
      group: 'faults',
      name: `${lane}: ${state}`,
      ms: elapsedMs,
      failure: details.length === 0 ? undefined : listed([...details, ...known]),
    };
  });
}

function proofsCase(proofs: NonNullable<RehearsalReport['proofs']>): JunitCase {
  const broken = proofs.filter(({ problem }) => problem !== undefined);
  return {
    group: 'proofs',
    name: 'every step can be repeated, fail and be undone twice',
    ms: 0,
    failure: listed(broken.map(({ proof, state, problem }) => `${state} ${proof}: ${problem}`)),
  };
}

function listed(lines: readonly string[]): string | undefined {
  return lines.length === 0 ? undefined : lines.join('\n');
}
