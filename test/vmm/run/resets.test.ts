/** How long the next TD of a guest waits that resets again and again. */
import { expect, test } from 'vitest';
import { Resets } from '../../../src/vmm/run/resets.ts';

const pauses = (ranMs: readonly number[]) => {
  const resets = new Resets();
  let now = 0;
  return ranMs.map((ms) => {
    resets.entered(now);
    now += ms;
    resets.reset(now);
    return resets.pauseMs;
  });
};

test('one reset costs nothing; those that follow at once wait twice as long each time, a minute at most', () => {
  const seconds = pauses(Array(10).fill(3)).map((ms) => ms / 1000);
  expect(seconds).toEqual([0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
});

test('a guest that has come up meanwhile begins anew', () => {
  expect(pauses([3, 3, 61_000, 3, 3])).toEqual([0, 1000, 0, 0, 1000]);
});

test('a pause of the guest is no new start, and one that another keeper has begun counts as come up', () => {
  const resets = new Resets();
  resets.entered(0);
  resets.entered(59_000);
  resets.reset(61_000);
  resets.reset(61_001);
  expect([resets.inARow, resets.pauseMs]).toEqual([0, 0]);
});
