import type { Kernel } from '../kernel.ts';
import type { Vcpu } from '../objects.ts';
import { guestHas, kvmHas } from './guest-cpu-caps.ts';

export const efer = {
  SCE: 1n << 0n,
  LME: 1n << 8n,
  LMA: 1n << 10n,
  NX: 1n << 11n,
  FFXSR: 1n << 14n,
  AUTOIBRS: 1n << 21n,
} as const;

/** kvm_caps.supported_efer_bits */
export function supportedEfer(kernel: Kernel): bigint {
  return (
    efer.SCE |
    efer.LME |
    efer.LMA |
    (kvmHas(kernel, 'NX') ? efer.NX : 0n) |
    (kvmHas(kernel, 'FXSR_OPT') ? efer.FFXSR : 0n) |
    (kvmHas(kernel, 'AUTOIBRS') ? efer.AUTOIBRS : 0n)
  );
}

const needs = [
  { bits: efer.AUTOIBRS, feature: 'AUTOIBRS' },
  { bits: efer.FFXSR, feature: 'FXSR_OPT' },
  { bits: efer.LME | efer.LMA, feature: 'LM' },
  { bits: efer.NX, feature: 'NX' },
] as const;

/** kvm_valid_efer(): of what KVM supports, what the guest's CPUID has. */
export function isValidEfer(kernel: Kernel, vcpu: Vcpu, value: bigint): boolean {
  return (
    (value & ~supportedEfer(kernel)) === 0n &&
    needs.every(({ bits, feature }) => (value & bits) === 0n || guestHas(kernel, vcpu, feature))
  );
}
