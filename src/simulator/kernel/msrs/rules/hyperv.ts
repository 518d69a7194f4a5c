/**
 * MSRs of Hyper-V as user space sees them: arch/x86/kvm/hyperv.c. Of those in its range that have no row
 * KVM knows none, and refuses them.
 */
import { msr } from '../../../../abi/kvm/msrs.ts';
import { PAGE_SIZE } from '../../../../abi/kvm/structs.ts';
import { hasGuestMemory } from '../../memory/guest-memory.ts';
import type { Vcpu } from '../../objects.ts';
import { kvmclockNs } from '../../vm/clock.ts';
import { readLapicRegister, writeLapicRegister } from '../lapic-registers.ts';
import { type MsrAccess, type MsrRule, onlyBits, type RangeRule } from '../rule.ts';

const one = (first: number, rule: MsrRule = {}): RangeRule => ({ first, ...rule });
const ofVm = (first: number, rule: MsrRule = {}): RangeRule => ({ first, keptBy: 'vm', ...rule });
/** A write by user space is ignored. */
const readOnly = (read: (access: MsrAccess) => bigint): MsrRule => ({
  read,
  keeps: () => undefined,
});

const enabled = 1n;
const pageOf = (data: bigint) => data & ~(PAGE_SIZE - 1n);
const hasPageAt = ({ vcpu }: MsrAccess, data: bigint) =>
  hasGuestMemory(vcpu.vm, pageOf(data), PAGE_SIZE);

const partition: readonly RangeRule[] = [
  ofVm(msr.HV_GUEST_OS_ID, {
    // Without it there are no hypercalls.
    written: (data, { vcpu: { vm } }) => {
      if (data === 0n) vm.msrs.set(msr.HV_HYPERCALL, hypercallOf(vm) & ~enabled);
    },
  }),
  ofVm(msr.HV_HYPERCALL, {
    accepts: (data, access) =>
      !hasGuestOs(access) || (data & enabled) === 0n || hasPageAt(access, data),
    keeps: (data, access) => (hasGuestOs(access) ? data : undefined),
  }),
  ofVm(
    msr.HV_RESET,
    readOnly(() => 0n),
  ),
  ofVm(
    msr.HV_TIME_REF_COUNT,
    readOnly(({ kernel, vcpu }) => kvmclockNs(kernel, vcpu.vm) / 100n),
  ),
  ofVm(msr.HV_REFERENCE_TSC),
  { first: msr.HV_CRASH_P0, last: msr.HV_CRASH_P4, keptBy: 'vm' },
  // CRASH_NOTIFY alone is kept.
  ofVm(msr.HV_CRASH_CTL, { keeps: (data) => data & (1n << 63n) }),
  ofVm(msr.HV_REENLIGHTENMENT_CONTROL),
  ofVm(msr.HV_TSC_EMULATION_CONTROL),
  ofVm(msr.HV_TSC_EMULATION_STATUS),
  ofVm(msr.HV_TSC_INVARIANT_CONTROL, { accepts: onlyBits(1n) }),
  { first: msr.HV_SYNDBG_CONTROL, last: msr.HV_SYNDBG_PENDING_BUFFER, keptBy: 'vm' },
  ofVm(msr.HV_SYNDBG_OPTIONS),
];

function hypercallOf({ msrs }: Vcpu['vm']): bigint {
  return msrs.get(msr.HV_HYPERCALL) ?? 0n;
}

function hasGuestOs({ vcpu }: MsrAccess): boolean {
  return (vcpu.vm.msrs.get(msr.HV_GUEST_OS_ID) ?? 0n) !== 0n;
}

const processor: readonly RangeRule[] = [
  one(msr.HV_VP_INDEX, {
    reset: ({ vcpu }) => BigInt(vcpu.index),
    accepts: (data, { kernel }) => (data & 0xffff_ffffn) < BigInt(kernel.profile.kvmMaxVcpus),
    keeps: (data) => data & 0xffff_ffffn,
  }),
  // CPU time of the thread that asks, in 100 ns: here as if it had run since the machine was on.
  one(msr.HV_VP_RUNTIME, {
    read: (access) => BigInt.asUintN(64, threadTime(access) + runtimeOffset(access)),
    keeps: (data, access) => BigInt.asUintN(64, data - threadTime(access)),
  }),
  one(
    msr.HV_TSC_FREQUENCY,
    readOnly(({ vcpu }) => BigInt(vcpu.tscKhz) * 1000n),
  ),
  one(
    msr.HV_APIC_FREQUENCY,
    readOnly(({ vcpu }) => 1_000_000_000n / vcpu.vm.caps.apicBusCyclesNs),
  ),
  ...(
    [
      [msr.HV_EOI, 0xb],
      [msr.HV_ICR, 0x30],
      [msr.HV_TPR, 0x8],
    ] as const
  ).map(([first, register]) =>
    one(first, {
      presence: ({ vcpu }, to) =>
        vcpu.vm.irqchip === 'none' ||
        (to === 'read' && readLapicRegister(vcpu, register) === undefined)
          ? 'refused'
          : 'there',
      read: ({ vcpu }) => readLapicRegister(vcpu, register) ?? 0n,
      accepts: (data, { kernel, vcpu }) => writeLapicRegister(kernel, vcpu, register, data),
      keeps: () => undefined,
    }),
  ),
  one(msr.HV_VP_ASSIST_PAGE, {
    accepts: (data, access) => (data & enabled) === 0n || hasPageAt(access, data),
    // The end of interrupts goes through this page or through KVM's own, and not through both.
    written: (data, { vcpu }) => {
      const isOn = (data & enabled) !== 0n;
      vcpu.msrs.set(msr.KVM_PV_EOI_EN, isOn ? pageOf(data) | enabled : 0n);
    },
  }),
];

function threadTime({ kernel }: MsrAccess): bigint {
  return kernel.hostClock.bootNs() / 100n;
}

function runtimeOffset({ vcpu }: MsrAccess): bigint {
  return vcpu.msrs.get(msr.HV_VP_RUNTIME) ?? 0n;
}

/** Before KVM_CAP_HYPERV_SYNIC, user space may write 0 and nothing else. */
const needsSynic: Pick<MsrRule, 'accepts'> = {
  accepts: (data, { vcpu }) => vcpu.synicActive || data === 0n,
};

const synic: readonly RangeRule[] = [
  // KVM_CAP_HYPERV_SYNIC switches it on.
  one(msr.HV_SCONTROL, needsSynic),
  one(msr.HV_SVERSION, { ...needsSynic, reset: 1n }),
  one(msr.HV_SIEFP, needsSynic),
  one(msr.HV_SIMP, needsSynic),
  one(msr.HV_EOM, { ...needsSynic, ...readOnly(() => 0n) }),
  // Every source begins masked.
  { first: msr.HV_SINT0, last: msr.HV_SINT15, ...needsSynic, reset: 1n << 16n },
];

const timer = { enable: 1n, directMode: 1n << 12n, sint: 0xf_0000n } as const;

const stimers: readonly RangeRule[] = [
  {
    first: msr.HV_STIMER0_CONFIG,
    last: msr.HV_STIMER3_COUNT,
    ...needsSynic,
    keeps: (data, { vcpu, index }) => {
      const isConfig = (index - msr.HV_STIMER0_CONFIG) % 2 === 0;
      if (!isConfig) return data;
      // A timer that was on, and is left without a place to send its message to, goes off.
      const wasOn = ((vcpu.msrs.get(index) ?? 0n) & timer.enable) !== 0n;
      const sendsNowhere = (data & (timer.directMode | timer.sint)) === 0n;
      return wasOn && sendsNowhere ? data & ~timer.enable : data;
    },
  },
];

export const hypervRules: readonly RangeRule[] = [
  ...partition,
  ...processor,
  ...synic,
  ...stimers,
  // The rest of GUEST_OS_ID to SINT15.
  { first: msr.HV_GUEST_OS_ID, last: msr.HV_SINT15, presence: () => 'refused' },
];
