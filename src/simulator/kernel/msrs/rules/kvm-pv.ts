/** KVM's own paravirtual MSRs: kvm_get_msr_common(), kvm_set_msr_common(), kvm_lapic_set_pv_eoi(). */
import { msr } from '../../../../abi/kvm/msrs.ts';
import { hasGuestMemory } from '../../memory/guest-memory.ts';
import { guestHasPv } from '../../vcpu/guest-cpu-caps.ts';
import { ones } from '../bits.ts';
import { type MsrRule, onlyBits, type RangeRule, withoutBits } from '../rule.ts';

/** Numbers of the paravirtual features, KVM_FEATURE_x. */
const feature = {
  CLOCKSOURCE: 0,
  CLOCKSOURCE2: 3,
  ASYNC_PF: 4,
  STEAL_TIME: 5,
  PV_EOI: 6,
  ASYNC_PF_VMEXIT: 10,
  POLL_CONTROL: 12,
  ASYNC_PF_INT: 14,
} as const;

const needs = (name: keyof typeof feature): Pick<MsrRule, 'presence'> => ({
  presence: ({ vcpu }) => (guestHasPv(vcpu, feature[name]) ? 'there' : 'unsupported'),
});

const enabled = 1n;
const asyncPf = { reserved: 0x30n, asVmExit: 4n, asInterrupt: 8n, address: ~0x3fn } as const;
/** KVM_STEAL_RESERVED_MASK */
const stealReserved = ones(5, 1);

export const kvmPvRules: readonly RangeRule[] = [
  // The clocks have two numbers each, old and new. The time of day is one for the VM.
  {
    first: msr.KVM_WALL_CLOCK,
    ...needs('CLOCKSOURCE'),
    keptBy: 'vm',
    keptAs: () => msr.KVM_WALL_CLOCK_NEW,
  },
  { first: msr.KVM_WALL_CLOCK_NEW, ...needs('CLOCKSOURCE2'), keptBy: 'vm' },
  { first: msr.KVM_SYSTEM_TIME, ...needs('CLOCKSOURCE'), keptAs: () => msr.KVM_SYSTEM_TIME_NEW },
  { first: msr.KVM_SYSTEM_TIME_NEW, ...needs('CLOCKSOURCE2') },
  {
    first: msr.KVM_ASYNC_PF_EN,
    ...needs('ASYNC_PF'),
    accepts: (data, { vcpu }) => {
      if ((data & asyncPf.reserved) !== 0n) return false;
      if ((data & asyncPf.asVmExit) !== 0n && !guestHasPv(vcpu, feature.ASYNC_PF_VMEXIT)) {
        return false;
      }
      if ((data & asyncPf.asInterrupt) !== 0n && !guestHasPv(vcpu, feature.ASYNC_PF_INT)) {
        return false;
      }
      if (vcpu.vm.irqchip === 'none') return data === 0n;
      const on = enabled | asyncPf.asInterrupt;
      return (data & on) !== on || hasGuestMemory(vcpu.vm, data & asyncPf.address, 8n);
    },
  },
  {
    first: msr.KVM_ASYNC_PF_INT,
    ...needs('ASYNC_PF_INT'),
    accepts: (data, { vcpu }) => data <= 0xffn && vcpu.vm.irqchip !== 'none',
  },
  {
    first: msr.KVM_ASYNC_PF_ACK,
    ...needs('ASYNC_PF_INT'),
    read: () => 0n,
    keeps: () => undefined,
  },
  { first: msr.KVM_STEAL_TIME, ...needs('STEAL_TIME'), accepts: withoutBits(stealReserved) },
  {
    first: msr.KVM_PV_EOI_EN,
    ...needs('PV_EOI'),
    accepts: (data, { vcpu }) => {
      const address = data & ~enabled;
      if (address % 4n !== 0n) return false;
      return (data & enabled) === 0n || hasGuestMemory(vcpu.vm, address, 1n);
    },
  },
  { first: msr.KVM_POLL_CONTROL, ...needs('POLL_CONTROL'), reset: 1n, accepts: onlyBits(1n) },
];
