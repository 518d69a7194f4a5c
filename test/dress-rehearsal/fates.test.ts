/** Whose death a TD may go with: what a rehearsal with processes judges by, beside the snapshot of the machine. */
import { describe, expect, test } from 'vitest';
import type { Killing } from '../../src/dress-rehearsal/deaths.ts';
import { becomes, lostByNobody } from '../../src/dress-rehearsal/fates.ts';
import type { KeptTd } from '../../src/keeper/kept-td.ts';
import type { Fate } from '../../src/rehearsal/index.ts';
import { identity } from '../keeper/support.ts';

const keeper = (pid: number) => ({ ...identity(), pid });

/** Two keepers, 1 and 2, are known of it. */
function seen(fate: Fate, state: KeptTd['state']) {
  const listed = { state, error: null, notes: [] } as unknown as KeptTd;
  return { name: 'web', fate, keepers: 2, listed, everyKeeper: [keeper(1), keeper(2)] };
}

const killing = (pid: number, owner: number | undefined): Killing => ({
  dies: 'source',
  pids: new Set([pid]),
  owners: new Map(owner === undefined ? [] : [['web', owner]]),
});

describe('a TD that was whole, and is over', () => {
  test.each([
    ['by the death of whoever had it', [killing(1, 1)], []],
    ['by the death of the next keeper, which had it by then', [killing(2, 2)], []],
    ['in a teardown, when nobody has it', [killing(1, undefined)], []],
    ['though only the other keeper died', [killing(2, 1)], ['owner-or-verdict']],
    ['though only a keeper of another TD died', [killing(7, 1)], ['owner-or-verdict']],
    ['though nobody died', [], ['owner-or-verdict']],
  ])('%s', (_, killings, broken) => {
    const found = lostByNobody(seen('died', 'lost'), killings);
    expect(found.map(({ invariant }) => invariant)).toEqual(broken);
  });

  test('is the kernel’s loss where its move lost it and nobody died', () => {
    const td = seen('alive', 'failed');
    const fate = becomes(td, { killings: [], verdict: 'lost' });
    expect(fate).toBe('lost');
    expect(lostByNobody({ ...td, fate }, [])).toEqual([]);
    expect(lostByNobody({ ...td, fate }, [killing(2, 1)])).toHaveLength(1);
  });
});

test.each([
  ['running', [killing(1, 2)], 'alive'],
  ['destroyed', [], 'stopped'],
  ['lost', [killing(1, 1)], 'died'],
  ['failed', [], 'failed'],
] as const)('what list calls %s after these deaths is %s', (state, killings, fate) => {
  expect(becomes(seen('alive', state), { killings, verdict: undefined })).toBe(fate);
});
