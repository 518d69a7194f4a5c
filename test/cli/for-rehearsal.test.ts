/** A host that a rehearsal has started for itself: it does not outlive whoever was to attend it. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { rehearsalOperations } from '../../src/cli/shared-host/for-rehearsal.ts';
import { silentMs } from '../../src/host/shared/wire/silence.ts';
import { openSimulatedMachine } from '../../src/host/simulated/index.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function host({ isAwaited }: { readonly isAwaited: boolean }) {
  const ends: string[] = [];
  const operations = rehearsalOperations({
    ...{ machine: openSimulatedMachine({}), isAwaited, end: (why) => void ends.push(why) },
    ...{ programs: () => [], faultsToCome: () => [] },
  });
  const leaving = new AbortController();
  const attend = () =>
    operations.attend?.(undefined, { signal: leaving.signal, tell: () => {}, by: undefined });
  return { ends, attend, leave: () => leaving.abort() };
}

test('ends where nobody comes, as whoever started it was killed before', () => {
  const { ends } = host({ isAwaited: true });
  vi.advanceTimersByTime(silentMs - 1);
  expect(ends).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(ends).toEqual(['nobody has come for whom it was started']);
});

test('ends with whoever attends it, and not before', async () => {
  const { ends, attend, leave } = host({ isAwaited: true });
  const attended = attend();
  vi.advanceTimersByTime(10 * silentMs);
  expect(ends).toEqual([]);
  leave();
  await attended;
  expect(ends).toEqual(['the rehearsal that it was started for is over']);
});

test('that anybody may join waits for nobody', () => {
  const { ends } = host({ isAwaited: false });
  vi.advanceTimersByTime(10 * silentMs);
  expect(ends).toEqual([]);
});
