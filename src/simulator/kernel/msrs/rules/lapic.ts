/** The local APIC: its base, its registers in x2APIC mode, the deadline of its timer. */
import { msr } from '../../../../abi/kvm/msrs.ts';
import { isLegalGpa } from '../../vcpu/cpuid.ts';
import { guestHas } from '../../vcpu/guest-cpu-caps.ts';
import {
  baseOf,
  isX2apic,
  readLapicRegister,
  timerHasDeadline,
  writeLapicRegister,
} from '../lapic-registers.ts';
import type { MsrAccess, RangeRule } from '../rule.ts';

const base = { reserved: 0x2ffn, x2apic: 1n << 10n, enabled: 1n << 11n } as const;

/** kvm_apic_set_base() for user space: the value that is there is taken whatever it is. */
export function acceptsApicBase(data: bigint, { kernel, vcpu }: Omit<MsrAccess, 'index'>): boolean {
  if (data === baseOf(vcpu)) return true;
  const wantsX2apic = (data & base.x2apic) !== 0n;
  return (
    isLegalGpa(vcpu, data) &&
    (data & base.reserved) === 0n &&
    (!wantsX2apic || (guestHas(kernel, vcpu, 'X2APIC') && (data & base.enabled) !== 0n))
  );
}

export const lapicRules: readonly RangeRule[] = [
  {
    first: msr.IA32_APICBASE,
    reset: ({ vcpu }) => baseOf(vcpu),
    accepts: acceptsApicBase,
  },
  {
    first: msr.X2APIC,
    last: msr.X2APIC + 0xff,
    presence: (access, to) => {
      const { vcpu } = access;
      if (vcpu.vm.irqchip === 'none' || !isX2apic(vcpu)) return 'refused';
      return to === 'read' && registerOf(access) === undefined ? 'refused' : 'there';
    },
    read: (access) => registerOf(access) ?? 0n,
    accepts: (data, { kernel, vcpu, index }) =>
      writeLapicRegister(kernel, vcpu, index - msr.X2APIC, data),
    keeps: () => undefined,
  },
  {
    first: msr.IA32_TSC_DEADLINE,
    read: ({ kernel, vcpu }) =>
      timerHasDeadline(kernel, vcpu) ? (vcpu.msrs.get(msr.IA32_TSC_DEADLINE) ?? 0n) : 0n,
    keeps: (data, { kernel, vcpu }) => (timerHasDeadline(kernel, vcpu) ? data : undefined),
  },
];

function registerOf({ vcpu, index }: MsrAccess): bigint | undefined {
  return readLapicRegister(vcpu, index - msr.X2APIC);
}
