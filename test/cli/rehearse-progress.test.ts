/** What a long rehearsal says on the way where stderr is no terminal. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  leastBetweenMs,
  lineEveryMs,
  progressOf,
  quietForMs,
} from '../../src/cli/rehearse/progress.ts';

interface Line {
  readonly atMs: number;
  readonly text: string;
}

/** Tells of so many runs, which take these times one after the other. */
function tell(stepsMs: readonly number[]): Line[] {
  const written: Line[] = [];
  let nowMs = 0;
  const stderr = { write: (text: string) => written.push({ atMs: nowMs, text }) };
  const progress = progressOf({ stderr, stderrIsTty: false }, () => nowMs);
  for (const [index, stepMs] of stepsMs.entries()) {
    nowMs += stepMs;
    progress.show(index + 1, { total: stepsMs.length, unit: 'runs' });
  }
  progress.end();
  return written;
}

const steps = fc.array(fc.integer({ min: 1, max: 4000 }), { minLength: 1, maxLength: 200 });

test('what ends quickly says nothing, and the first line comes no sooner (property)', () => {
  fc.assert(
    fc.property(steps, (stepsMs) => {
      for (const { atMs } of tell(stepsMs)) expect(atMs).toBeGreaterThanOrEqual(quietForMs);
    }),
  );
});

test('after that no long time is without a line, and no two are close (property)', () => {
  fc.assert(
    fc.property(steps, (stepsMs) => {
      const total = stepsMs.reduce((sum, each) => sum + each, 0);
      const longest = Math.max(...stepsMs);
      const at = [0, ...tell(stepsMs).map(({ atMs }) => atMs)];
      const gaps = [...at.slice(1), total].map((atMs, index) => atMs - (at[index] ?? 0));
      // A line comes with the first run that ends after it is due.
      for (const gap of gaps) expect(gap).toBeLessThan(lineEveryMs + longest);
      for (const gap of gaps.slice(1, -1)) expect(gap).toBeGreaterThanOrEqual(leastBetweenMs);
    }),
  );
});

test('each line says how far it is, without anything that only a terminal takes (property)', () => {
  fc.assert(
    fc.property(steps, (stepsMs) => {
      for (const { text } of tell(stepsMs)) {
        expect(text).toMatch(/^\d+ of \d+ runs(, about [\d.]+ (min \d+ s|s|ms|µs) left)?\n$/);
      }
    }),
  );
});

test('a long run has a line at each tenth of the way', () => {
  const lines = tell(Array.from({ length: 100 }, () => 600));
  const tenths = lines.map(({ text }) => Number.parseInt(text, 10));
  expect(tenths).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
});

test('another unit begins another count, under the name of what is done', () => {
  const written: string[] = [];
  let nowMs = 0;
  const stderr = { write: (text: string) => written.push(text) };
  const progress = progressOf({ stderr, stderrIsTty: false }, () => nowMs);
  progress.begin('series-v9');
  nowMs = 20_000;
  progress.show(10, { total: 10, unit: 'operations' });
  nowMs = 40_000;
  progress.show(1, { total: 10, unit: 'runs' });
  expect(written).toEqual([
    'series-v9: 10 of 10 operations\n',
    expect.stringMatching(/^series-v9: 1 of 10 runs/),
  ]);
});
