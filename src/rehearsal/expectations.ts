/** What was asked of a rehearsal, and where the run differs from it. */
import { countLost } from './losses.ts';
import type { RehearsalReport, ReportedResult } from './report.ts';

/** What came of an operation, in the words of `expect`. */
export function cameTo({ result, verdict }: ReportedResult): string {
  return verdict ?? (result === 'failed' ? 'refused' : result);
}

/** An operation that nothing is said of must go through. */
export function isUnexpected(result: ReportedResult): boolean {
  if (result.expected !== undefined) return cameTo(result) !== result.expected;
  return result.result !== 'done';
}

/** Where a Rehearsal file says how things must come out, and they did not. */
export function unmetExpectations({ run, expect, isJudged }: RehearsalReport): string[] {
  if (!isJudged) return [];
  const numbers = [
    { name: 'peakSlots', expected: expect.peakSlots, found: run.slots.peak },
    {
      name: 'keySlotsLost',
      expected: expect.keySlotsLost,
      found: countLost(run.losses, 'key slot'),
    },
    { name: 'tdsLost', expected: expect.tdsLost, found: countLost(run.losses, 'TD') },
  ];
  return [
    ...run.results.filter(isUnexpected).map(unexpectedInWords),
    ...numbers.flatMap(({ name, expected, found }) =>
      expected === undefined || expected === found
        ? []
        : [`${name}: expected ${expected}, was ${found}`],
    ),
  ];
}

function unexpectedInWords(result: ReportedResult): string {
  const { operation, expected = 'to go through', error } = result;
  const came = result.result === 'skipped' ? 'skipped, as the TD was gone' : cameTo(result);
  const reason = error ? `: ${error.message}` : '';
  return `${operation}: expected ${expected}, was ${came}${reason}`;
}

/** All that was asked for and did not come. */
export function findingsIn(report: RehearsalReport): string[] {
  const unmet = report.run.unmet.map((fault) => `fault ${fault}: the run never came to it`);
  return [...unmetExpectations(report), ...unmet];
}
