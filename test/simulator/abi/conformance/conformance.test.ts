/**
 * Every check of every request, under every kernel that makes it: its condition alone is refused, by
 * the check itself, with an errno of its row, and kills a VM only where the row says so.
 */
import { describe, expect, test } from 'vitest';
import { type CheckName, checkedRequests } from '../../../../src/abi/kvm/checks/index.ts';
import { type KernelAbi, kernelAbis } from '../../../../src/simulator/index.ts';
import { reachable, show } from './show.ts';
import { conformance } from './tables.ts';

const kernels: readonly KernelAbi[] = Object.values(kernelAbis);

describe.each(checkedRequests)('%s', (request) => {
  const rows = kernels.flatMap((abi) =>
    reachable(abi, request).map((check) => ({ abi, kernel: abi.name, check })),
  );

  test.each(rows)('$check refuses by itself ($kernel)', ({ abi, check }) =>
    show(abi, request, check),
  );

  test('every case is about a check that some kernel makes', () => {
    const made = new Set(kernels.flatMap((abi) => reachable(abi, request)));
    const written = Object.keys(conformance[request]?.cases ?? {}) as CheckName[];
    expect(written.filter((check) => !made.has(check))).toEqual([]);
  });
});
