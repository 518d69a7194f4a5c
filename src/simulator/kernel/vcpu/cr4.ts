import type { CpuFeature } from '../cpuid/cpu-features.ts';
import type { Kernel } from '../kernel.ts';
import type { Vcpu } from '../objects.ts';
import { guestHas } from './guest-cpu-caps.ts';

/** Bits of CR4 that are there with any of these features alone. */
export const cr4Features: readonly (readonly [bit: number, ...features: CpuFeature[]])[] = [
  [11, 'UMIP'],
  [12, 'LA57'],
  [13, 'VMX'],
  [16, 'FSGSBASE'],
  [17, 'PCID'],
  [18, 'XSAVE'],
  [20, 'SMEP'],
  [21, 'SMAP'],
  [22, 'PKU'],
  [23, 'SHSTK', 'IBT'],
  [28, 'LAM'],
];

/** VME to OSXMMEXCPT. */
const always = 0x7ffn;

/** kvm_is_valid_cr4() outside VMX operation and SMM. */
export function isValidCr4(kernel: Kernel, vcpu: Vcpu, cr4: bigint): boolean {
  const valid = cr4Features
    .filter(([, ...features]) => features.some((feature) => guestHas(kernel, vcpu, feature)))
    .reduce((mask, [bit]) => mask | (1n << BigInt(bit)), always);
  return (cr4 & ~valid) === 0n;
}
