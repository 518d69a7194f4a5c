/** A few of many equal calls are played for all of them. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FaultCase } from '../../src/rehearsal/faults/cases.ts';
import { collapsed, leastPlayed, playEqual } from '../../src/rehearsal/faults/equal-calls.ts';
import { singleFaults } from '../../src/rehearsal/index.ts';
import { play } from './play.ts';

/** A group of so many, told apart by the number of the call. */
function group(length: number): FaultCase {
  const cases = Array.from({ length }, (_, index) => ({
    faults: [{ at: 'TDH.MR.EXTEND', answer: 'TDX_OPERAND_BUSY', nth: index + 1 }] as const,
    lane: 'td',
    state: '' as const,
  }));
  const [first, ...equal] = cases;
  if (first === undefined) throw new Error('a group has a case');
  return { ...first, equal };
}

/** Plays a group whose n-th call comes to the n-th outcome, for as many runs as are `allowed`. */
async function playAll(outcomes: readonly number[], allowed = Number.POSITIVE_INFINITY) {
  const played: number[] = [];
  const shown = await playEqual(group(outcomes.length), {
    play: async ({ faults: [fault] }) => {
      if (played.length >= allowed) return undefined;
      const index = (fault?.nth ?? 1) - 1;
      played.push(index);
      return { index, outcome: outcomes[index] };
    },
    isSame: (one, other) => one.outcome === other.outcome,
  });
  return { played, shown };
}

const inOrder = fc
  .array(fc.nat(4), { minLength: 1, maxLength: 300 })
  .map((outcomes) => outcomes.sort((a, b) => a - b));

test('where outcomes change from one call on, each run stands for those up to the next change (property)', async () => {
  await fc.assert(
    fc.asyncProperty(inOrder, async (outcomes) => {
      const { shown } = await playAll(outcomes);
      const told = shown.flatMap(({ played, standsFor }) =>
        Array.from({ length: standsFor }, () => played.outcome),
      );
      expect(told).toEqual(outcomes);
    }),
  );
});

test('the first, the last and one between are played, once each, and few more (property)', async () => {
  await fc.assert(
    fc.asyncProperty(inOrder, async (outcomes) => {
      const { played } = await playAll(outcomes);
      const last = outcomes.length - 1;
      expect(new Set(played).size).toBe(played.length);
      expect(played).toEqual(expect.arrayContaining([0, last, Math.floor(last / 2)]));
      expect(played.length).toBeGreaterThanOrEqual(leastPlayed(group(outcomes.length)));
      const changes = new Set(outcomes).size - 1;
      expect(played.length).toBeLessThanOrEqual(3 + changes * Math.ceil(Math.log2(last + 2)));
    }),
  );
});

test('runs of a sweep that was cut short stand for themselves alone (property)', async () => {
  await fc.assert(
    fc.asyncProperty(inOrder, fc.nat(2), async (outcomes, allowed) => {
      fc.pre(outcomes.length > 3);
      const { shown } = await playAll(outcomes, allowed);
      expect(shown.map(({ standsFor }) => standsFor)).toEqual(Array(allowed).fill(1));
    }),
  );
});

test('equal calls are one case with the others in it, and no fault is in none or in two', async () => {
  const { trace } = await play({ kernelAbi: 'rfc-migration-v2', traced: true });
  const singles = singleFaults(trace);
  const cases = collapsed(singles);
  const within = cases.flatMap(({ equal = [], ...first }) => [first, ...equal]);
  expect(within).toHaveLength(singles.length);
  const faultOf = ({ faults }: FaultCase) => JSON.stringify(faults);
  expect(within.map(faultOf).sort()).toEqual(singles.map(faultOf).sort());
  for (const { equal = [], lane, state } of cases) {
    expect(equal.every((each) => each.lane === lane && each.state === state)).toBe(true);
  }
  // Each field of the TD is read by a call of its own, so no such call is equal to another one.
  const ofReads = cases.filter(({ faults: [fault] }) => fault?.at === 'TDH.MNG.RD');
  expect(ofReads.length).toBeGreaterThan(90);
});
