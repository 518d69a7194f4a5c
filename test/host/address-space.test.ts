/** The memory of a simulated process: where mappings lie, and what is read there. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AddressSpace, type SimulatedMemory } from '../../src/host/simulated/index.ts';

const page = 4096n;
const tebibyte = 1n << 40n;
const userSpaceEnd = 1n << 47n;

describe('the addresses of a simulated process', () => {
  test('mappings lie in user space, never meet, and are read where they lie (property)', async () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.record({ map: fc.bigInt({ min: 1n, max: 20n * tebibyte }) }) },
      { weight: 2, arbitrary: fc.record({ close: fc.nat(20) }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const space = new AddressSpace();
        const open: { memory: SimulatedMemory; mark: Uint8Array }[] = [];
        for (const [at, each] of steps.entries()) {
          if ('close' in each) {
            const [closed] = open.splice(each.close % (open.length || 1), 1);
            await closed?.memory.close();
            if (closed) expect(space.read(closed.memory.address, 1)).toBeUndefined();
            continue;
          }
          const memory = mapped(space, each.map);
          if (memory === undefined) {
            const taken = open.reduce((sum, { memory: { sizeBytes } }) => sum + sizeBytes, 0n);
            // Nothing has room for it: each of the gaps beside those that are open is smaller.
            expect(taken + each.map * BigInt(open.length + 1)).toBeGreaterThan(
              userSpaceEnd - 2n * (1n << 28n),
            );
            continue;
          }
          const mark = new Uint8Array([at, 1, 2, 3]);
          memory.write({ offsetBytes: memory.sizeBytes - 1n, bytes: mark.subarray(0, 1) });
          open.push({ memory, mark });
        }
        const inOrder = open
          .map(({ memory }) => memory)
          .sort((a, b) => compare(a.address, b.address));
        for (const [at, { address, sizeBytes }] of inOrder.entries()) {
          expect(address % page).toBe(0n);
          expect(address).toBeGreaterThan(0n);
          const next = inOrder[at + 1]?.address ?? userSpaceEnd;
          // A page stays free behind each, as a guard.
          expect(address + sizeBytes).toBeLessThan(next);
          expect(space.read(address + sizeBytes, 1)).toBeUndefined();
          expect(space.read(address - 1n, 2)).toBeUndefined();
        }
        for (const { memory, mark } of open) {
          const last = memory.address + memory.sizeBytes - 1n;
          expect(space.read(last, 1)).toEqual(mark.subarray(0, 1));
          expect(space.read(last, 2)).toBeUndefined();
        }
      }),
    );
  });

  test('what is given back is used again, and what lay in it is gone', async () => {
    const space = new AddressSpace();
    const kept = space.map(page);
    const first = space.map(page);
    first.write({ offsetBytes: 0n, bytes: new Uint8Array([1]) });
    await first.close();
    const second = space.map(page);
    expect(second.address).toBe(first.address);
    expect(space.read(second.address, 1)).toEqual(new Uint8Array([0]));
    await second.close();
    await kept.close();
    // All of it is one free range again.
    await space.map(127n * tebibyte).close();
  });

  test('a second close does not unmap what lies there by then', async () => {
    const space = new AddressSpace();
    const first = space.map(page);
    await first.close();
    const second = space.map(page);
    await first.close();
    expect(space.read(second.address, 1)).toEqual(new Uint8Array([0]));
    expect(space.map(page).address).not.toBe(second.address);
  });

  test('no room is ENOMEM, as mmap() answers it', () => {
    const space = new AddressSpace();
    space.map(100n * tebibyte);
    expect(() => space.map(28n * tebibyte)).toThrow('could not be mapped (ENOMEM)');
    expect(() => space.map(27n * tebibyte)).not.toThrow();
  });

  test('an address that no process can have is in no mapping', () => {
    const space = new AddressSpace();
    space.map(page);
    for (const address of [0n, userSpaceEnd, (1n << 64n) - 1n, (1n << 63n) + 1n]) {
      expect(space.read(address, 1)).toBeUndefined();
    }
  });
});

function mapped(space: AddressSpace, sizeBytes: bigint): SimulatedMemory | undefined {
  try {
    return space.map(sizeBytes);
  } catch {
    return undefined;
  }
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : 1;
}
