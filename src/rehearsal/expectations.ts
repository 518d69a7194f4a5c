/** What a Rehearsal file expects, and where the run differs from it. */
import { countLost } from './losses.ts';
import type { RehearsalReport, ReportedResult } from './report.ts';

/** What came of an operation, in the words of `expect`. */
export function cameTo({ result, verdict }: ReportedResult): string {
  return verdict ?? (result === 'failed' ? 'refused' : result);
}

/** An operation that the file says nothing of must go through, or be skipped because its TD is gone. */
export function isUnexpected(result: ReportedResult): boolean {
  const came = cameTo(result);
  if (result.expected !== undefined) return came !== result.expected;
  return result.result !== 'done' && result.result !== 'skipped';
}

export function unmetExpectations({ run, expect, hasExpectations }: RehearsalReport): string[] {
  if (!hasExpectations) return [];
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
    ...run.results.filter(isUnexpected).map((result) => {
      const expected = result.expected ?? 'to go through';
      return `${result.operation}: expected ${expected}, was ${cameTo(result)}`;
    }),
    ...numbers.flatMap(({ name, expected, found }) =>
      expected === undefined || expected === found
        ? []
        : [`${name}: expected ${expected}, was ${found}`],
    ),
  ];
}
