/** JUnit XML, which every CI reads: a test case for each operation and for each step of the sweep. */
import { escapeXml } from '../documents/xml.ts';
import { cameTo, isUnexpected, unmetExpectations } from './expectations.ts';
import type { RehearsalReport, ReportedSweep } from './report.ts';

interface Case {
  readonly suite: string;
  readonly name: string;
  readonly seconds: number;
  readonly failure?: string | undefined;
  readonly skipped?: boolean;
}

export function junit(report: RehearsalReport): string {
  const cases = [
    ...runCases(report),
    ...(report.sweep ? sweepCases(report.sweep) : []),
    ...(report.proofs ? [proofsCase(report.proofs)] : []),
  ];
  const failures = cases.filter(({ failure }) => failure !== undefined).length;
  const skipped = cases.filter((each) => each.skipped === true).length;
  const counts = `tests="${cases.length}" failures="${failures}" skipped="${skipped}"`;
  const name = escapeXml(`${report.name} (${report.kernel})`);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="${name}" tests="${cases.length}" failures="${failures}">`,
    `<testsuite name="${name}" ${counts}>`,
    ...cases.map(caseXml),
    '</testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function runCases(report: RehearsalReport): Case[] {
  const { run, hasExpectations } = report;
  const operations = run.results.map(
    (result): Case => ({
      suite: 'operations',
      name: result.operation,
      seconds: 0,
      failure: isUnexpected(result) ? (result.error?.message ?? cameTo(result)) : undefined,
      skipped: result.result === 'skipped' && result.expected === undefined,
    }),
  );
  const invariant: Case = {
    suite: 'invariants',
    name: 'all invariants hold',
    seconds: run.elapsedMs / 1000,
    failure: listed(run.violations.map((each) => `${each.invariant}: ${each.detail}`)),
  };
  const expected: Case = {
    suite: 'expectations',
    name: 'the run is as expected',
    seconds: 0,
    failure: listed(unmetExpectations(report)),
  };
  const unmet = run.unmet.map(
    (fault): Case => ({
      suite: 'faults asked for',
      name: fault,
      seconds: 0,
      failure: 'the run never came to it',
    }),
  );
  return [...operations, invariant, ...(hasExpectations ? [expected] : []), ...unmet];
}

function sweepCases({ rows, violations }: ReportedSweep): Case[] {
  return rows.map(({ lane, state, cells }) => {
    const broken = cells.filter(({ outcome }) => outcome === 'violation');
    const details = broken.map(({ kind, example }) => `${kind}: ${example.join(' and ')}`);
    const known = violations.map(({ invariant, detail }) => `${invariant}: ${detail}`);
    return {
      suite: 'faults',
      name: `${lane}: ${state}`,
      seconds: 0,
      failure: details.length === 0 ? undefined : listed([...details, ...known]),
    };
  });
}

function proofsCase(proofs: NonNullable<RehearsalReport['proofs']>): Case {
  const broken = proofs.filter(({ problem }) => problem !== undefined);
  return {
    suite: 'proofs',
    name: 'every step can be repeated, fail and be undone twice',
    seconds: 0,
    failure: listed(broken.map(({ proof, state, problem }) => `${state} ${proof}: ${problem}`)),
  };
}

function listed(lines: readonly string[]): string | undefined {
  return lines.length === 0 ? undefined : lines.join('\n');
}

function caseXml({ suite, name, seconds, failure, skipped }: Case): string {
  const head = `<testcase classname="${escapeXml(suite)}" name="${escapeXml(name)}" time="${seconds}"`;
  if (skipped === true) return `${head}><skipped/></testcase>`;
  if (failure === undefined) return `${head}/>`;
  const [first = ''] = failure.split('\n');
  return `${head}><failure message="${escapeXml(first)}">${escapeXml(failure)}</failure></testcase>`;
}
