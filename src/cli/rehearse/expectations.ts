/** What a Rehearsal file expects, and the run was not. */
import type { RehearsalReport } from './report.ts';

export function unmetExpectations({ run, expect }: RehearsalReport): string[] {
  const lost = (what: string) =>
    run.losses.reduce((sum, loss) => sum + (loss.what === what ? loss.count : 0), 0);
  const numbers = [
    { name: 'peakSlots', expected: expect.peakSlots, found: run.slots.peak },
    { name: 'keySlotsLost', expected: expect.keySlotsLost, found: lost('key slot') },
    { name: 'tdsLost', expected: expect.tdsLost, found: lost('TD') },
  ];
  return [
    ...run.results.flatMap(({ operation, verdict, expected }) =>
      expected === undefined || expected === verdict
        ? []
        : [`${operation}: expected ${expected}, was ${verdict ?? 'not tried'}`],
    ),
    ...numbers.flatMap(({ name, expected, found }) =>
      expected === undefined || expected === found
        ? []
        : [`${name}: expected ${expected}, was ${found}`],
    ),
  ];
}
