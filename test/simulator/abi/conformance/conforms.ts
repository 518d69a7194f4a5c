/**
 * kernel-abi 7.1 under every kernel ABI: each row of its tables as one condition, alone. Where a kernel
 * has another rule (order.test.ts, max-vcpus.test.ts), the row says which kernels it is about.
 */

import { describe, expect, test } from 'vitest';
import { makesVcpusFirst } from '../../../../src/abi/kvm/kernels/kernel-abi.ts';
import { statusWord } from '../../../../src/abi/tdx/status.ts';
import { type KernelAbi, type KernelAbiName, kernelAbis } from '../../../../src/simulator/index.ts';
import { Driver, type Result } from '../../drive.ts';
import { abisWhere } from '../abis.ts';

export interface Row {
  readonly step: string;
  readonly title: string;
  readonly errno: Result | ((abi: KernelAbi) => Result);
  readonly call: (driver: Driver) => Result;
  /** The kernels whose table has the row; all, unless said. */
  readonly of?: (abi: KernelAbi) => boolean;
  readonly profile?: 'one-slot' | 'small-client';
}

export function conforms(call: string, rows: readonly Row[]): void {
  const cells = rows.flatMap((row) =>
    abisWhere(row.of).map((name) => [row.step, row.title, name, row] as const),
  );
  describe(`kernel 7.1 ${call}`, () => {
    test.each(cells)('step %s: %s (%s)', (_step, _title, kernelAbi, row) => {
      const driver = new Driver({ kernelAbi, profile: row.profile ?? 'spr-1.5' });
      const abi: KernelAbi = kernelAbis[kernelAbi as KernelAbiName];
      const expected = typeof row.errno === 'function' ? row.errno(abi) : row.errno;
      expect(row.call(driver)).toBe(expected);
    });
  });
}

/** A vCPU of an initialised TD that has its CPUID. */
export const onVcpu =
  (call: (driver: Driver, vcpu: number, vm: number) => Result) => (driver: Driver) => {
    const vm = driver.initializedTd();
    const vcpu = driver.createVcpu(vm, 0) as number;
    driver.setCpuid2(vcpu);
    return call(driver, vcpu, vm);
  };

export const busy = statusWord('TDX_OPERAND_BUSY', 'RCX');
export const other = statusWord('TDX_TD_FATAL');

/** A vCPU may be made before INIT_VM. */
export const stateless = makesVcpusFirst;
