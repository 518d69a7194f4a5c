/** One rehearsal: what comes of it under each kernel, and whose loss a loss is. */
import { describe, expect, test } from 'vitest';
import { kernelAbis } from '../../src/simulator/index.ts';
import { play, words } from './play.ts';

const names = Object.keys(kernelAbis);
const moving = Object.values(kernelAbis).filter(({ move }) => move !== undefined);
const others = Object.values(kernelAbis).filter(({ move }) => move === undefined);

describe('a TD that is moved once', () => {
  test.each(moving.map(({ name }) => name))('%s: ends in the other VM', async (kernelAbi) => {
    const run = await play({ kernelAbi });
    expect(words(run)).toEqual(['done', 'completed', 'done']);
    expect(run.violations).toEqual([]);
    expect(run.record.blackouts).toHaveLength(1);
    expect(run.record.blackouts[0]?.ms).toBeGreaterThan(0);
  });

  test.each(others.map(({ name }) => name))(
    '%s: stays, because the kernel moves none',
    async (kernelAbi) => {
      const run = await play({ kernelAbi });
      expect(words(run)).toEqual(['done', 'sourceKept', 'done']);
      expect(run.results[1]?.error).toMatchObject({
        step: 'checking',
        code: 'TDCTL_E_HOST_UNSUPPORTED',
      });
      expect(run.violations).toEqual([]);
    },
  );

  test.each(names)('%s: equal runs give equal records', async (kernelAbi) => {
    const [first, second] = [await play({ kernelAbi }), await play({ kernelAbi })];
    expect(second.record.steps).toEqual(first.record.steps);
    expect(second.record.slots).toEqual(first.record.slots);
  });
});

describe("the seeds' case: a host without a key slot to spare", () => {
  const full = { slotsLeft: 1, checks: 'none' } as const;

  test.each(['proposal-1', 'proposal-1a', 'proposal-1b', 'proposal-2', 'rfc-migration-v2'])(
    '%s moves the TD, for the move takes no slot',
    async (kernelAbi) => {
      const run = await play({ kernelAbi, ...full });
      expect(words(run)).toEqual(['done', 'completed', 'done']);
      expect(run.losses.filter(({ what }) => what === 'key slot')).toEqual([]);
    },
  );

  test.each([
    ['series-v9', 'KVM_TDX_INIT_VM', 'ENOSPC'],
    ['pre-v8', 'KVM_CREATE_VM', 'EBUSY'],
  ])('%s refuses the destination: %s %s', async (kernelAbi, request, errno) => {
    const run = await play({ kernelAbi, ...full });
    const expected = kernelAbi === 'series-v9' ? 'ENOSPC' : errno;
    expect(words(run)).toEqual(['done', 'sourceKept', 'done']);
    expect(run.results[1]?.error).toMatchObject({ refusal: { request, errno: expected } });
    expect(run.violations).toEqual([]);
  });

  test('with room, series-v9 loses the slot that the destination had to take', async () => {
    const run = await play({ kernelAbi: 'series-v9' });
    expect(run.record.peakSlots).toBe(2);
    expect(run.losses).toContainEqual({
      what: 'key slot',
      count: 1,
      by: 'kernel',
      words: 'the move overwrites the key slot that the destination had to take',
    });
  });
});

describe('vCPU counts that differ', () => {
  const differing = { destinationVcpus: 2, checks: 'none' } as const;

  test('tdctl refuses them, and nothing is made', async () => {
    const run = await play({ kernelAbi: 'rfc-migration-v2', destinationVcpus: 2 });
    expect(run.results[1]?.error).toMatchObject({ code: 'TDCTL_E_MIGRATION_REFUSED' });
    expect(run.record.steps.some(({ lane }) => lane === 'hello→2')).toBe(false);
  });

  test('RFC v1 answers success, and leaves the pages of the vCPUs without a partner behind', async () => {
    const run = await play({ kernelAbi: 'rfc-migration-v1', ...differing });
    expect(words(run)).toEqual(['done', 'completed', 'done']);
    expect(run.losses.map(({ what, by }) => [what, by])).toContainEqual(['page', 'kernel']);
    expect(run.violations).toEqual([]);
  });

  test('RFC v2 runs into a NULL pointer: the TD is lost by the kernel', async () => {
    const run = await play({ kernelAbi: 'rfc-migration-v2', ...differing });
    expect(words(run)).toEqual(['done', 'lost', 'skipped']);
    expect(run.losses).toContainEqual(
      expect.objectContaining({ what: 'TD', by: 'kernel', words: expect.stringMatching(/EIO/) }),
    );
    expect(run.violations).toEqual([]);
  });
});

describe('a fault in the move', () => {
  const kernelAbi = 'rfc-migration-v2';

  test('before the kernel has touched anything, the source is kept and runs', async () => {
    const faults = ['KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM: lock both VMs=EINTR'];
    const run = await play({ kernelAbi, faults });
    expect(words(run)).toEqual(['done', 'sourceKept', 'done']);
    expect(run.violations).toEqual([]);
  });

  test('after the kernel has killed the source, the TD is lost, and the kernel is named', async () => {
    const faults = ['KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM: set the APIC state of a vCPU#3=EINVAL'];
    const run = await play({ kernelAbi, faults });
    expect(words(run)).toEqual(['done', 'lost', 'skipped']);
    expect(run.losses).toMatchObject([{ what: 'TD', count: 1, by: 'kernel' }]);
    expect(run.violations).toEqual([]);
  });

  test('another process that races for the last slot does not disturb a kernel that needs none', async () => {
    const run = await play({ kernelAbi, faults: ['KVM_ENABLE_CAP#6=foreign-tds+999'] });
    expect(words(run)).toEqual(['done', 'completed', 'done']);
  });
});

describe('a process that dies', () => {
  const kernelAbi = 'rfc-migration-v2';
  // The sixth KVM_ENABLE_CAP is the one that moves the TD.
  const move = 'KVM_ENABLE_CAP#6';

  test.each(['tdctl', 'source', 'destination'])(
    '%s, as the TD moves: nothing remains',
    async (who) => {
      const run = await play({ kernelAbi, faults: [`${move}=${who}-dies`] });
      expect(run.unmet).toEqual([]);
      expect(run.violations).toEqual([]);
    },
  );

  test("the destination's, before the move: the source goes on", async () => {
    const run = await play({ kernelAbi, faults: ['KVM_SET_CPUID2#6=destination-dies'] });
    expect(words(run)).toEqual(['done', 'sourceKept', 'done']);
    expect(run.violations).toEqual([]);
  });

  test("the source's, before the move: the TD died with it, and is not called lost by the kernel", async () => {
    const run = await play({ kernelAbi, faults: ['KVM_SET_CPUID2#6=source-dies'] });
    expect(run.losses).toMatchObject([{ what: 'TD', by: 'owner' }]);
    expect(run.violations).toEqual([]);
  });
});

test('ten hops, then stopped: as many key slots at the peak as TDs', async () => {
  const run = await play({ kernelAbi: 'rfc-migration-v2', count: 3, hops: 10 });
  expect(run.record.moves).toHaveLength(30);
  expect(run.record.moves.every(({ verdict }) => verdict === 'completed')).toBe(true);
  expect(run.record.peakSlots).toBe(3);
  expect(run.violations).toEqual([]);
});
