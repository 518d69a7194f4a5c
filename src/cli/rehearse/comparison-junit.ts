/** A comparison for JUnit: a suite for each kernel, with the simulated time of each operation. */
import { type JunitCase, type JunitSuite, junitText } from '../../documents/junit.ts';
import type { Comparison } from '../../rehearsal/index.ts';

interface Asked {
  readonly file: string;
  readonly strict: boolean;
}

export function comparisonJunit(rows: readonly Comparison[], asked: Asked): string {
  return junitText(
    asked.file,
    rows.map((row) => suiteOf(row, asked)),
  );
}

function suiteOf(row: Comparison, { file, strict }: Asked): JunitSuite {
  const { kernel, elapsedMs, violations, findings, results } = row;
  const operations = results.map(
    ({ operation, result, verdict, error, startMs, endMs }): JunitCase => ({
      group: 'operations',
      name: operation,
      ms: endMs - startMs,
      // What a kernel refuses is what the comparison shows, and no failure.
      ...(result === 'done' ? {} : { skipped: error?.message ?? verdict ?? result }),
    }),
  );
  const invariants: JunitCase = {
    group: 'invariants',
    name: 'all invariants hold',
    ms: 0,
    failure: violations === 0 ? undefined : `${violations} violations`,
  };
  const asked: JunitCase[] = findings.map((finding) => ({
    group: 'expectations',
    name: 'the run is as expected',
    ms: 0,
    ...(strict ? { failure: finding } : { skipped: finding }),
  }));
  return {
    name: `${file} (${kernel})`,
    ms: elapsedMs,
    cases: [...operations, invariants, ...asked],
  };
}
