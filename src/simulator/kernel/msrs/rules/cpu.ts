/** Registers of the CPU's modes, segments and system calls: vmx_set_msr() and what it leaves to KVM. */
import { msr } from '../../../../abi/kvm/msrs.ts';
import { quirks } from '../../../../abi/kvm/quirks.ts';
import { efer, supportedEfer } from '../../vcpu/efer.ts';
import { guestHas, isAmdCompatible, kvmHas } from '../../vcpu/guest-cpu-caps.ts';
import { ones } from '../bits.ts';
import { canonical, isCanonicalForMsr } from '../canonical.ts';
import { keptValue, type MsrAccess, onlyBits, type RangeRule, withoutBits } from '../rule.ts';

const eferRule: RangeRule = {
  first: msr.EFER,
  // A TD is born in 64-bit mode, with SCE, LME, LMA and NX set.
  reset: ({ vcpu }) => (vcpu.td === undefined ? 0n : 0xd01n),
  accepts: (data, { kernel }) => (data & ~supportedEfer(kernel)) === 0n,
  // LMA follows paging and not this write.
  keeps: (data, access) => (data & ~efer.LMA) | (keptValue(eferRule, access) & efer.LMA),
};

const hwcr = {
  /** FFDIS, IGNNE_EM and TLBCACHEDIS are dropped. */
  dropped: 0x148n,
  /** McStatusWrEn and TscFreqSel. */
  valid: (1n << 18n) | (1n << 24n),
  cpuidUserDis: 1n << 35n,
} as const;

const featCtl = {
  locked: 1n << 0n,
  vmxInSmx: 1n << 1n,
  vmxOutsideSmx: 1n << 2n,
  sgxLaunchControl: 1n << 17n,
  sgx: 1n << 18n,
  lmce: 1n << 20n,
} as const;
const MCG_LMCE_P = 1n << 27n;
const MISC_ENABLE_MWAIT = 1n << 18n;
const misc = { branchTraceUnavailable: 1n << 11n, pebsUnavailable: 1n << 12n } as const;

const miscEnable: RangeRule = {
  first: msr.IA32_MISC_ENABLE,
  reset: misc.branchTraceUnavailable | misc.pebsUnavailable,
  // Without the quirk, MWAIT of CPUID follows this bit, which a guest without SSE3 has not.
  accepts: (data, access) => {
    const { kernel, vcpu } = access;
    const changes = (keptValue(miscEnable, access) ^ data) & MISC_ENABLE_MWAIT;
    const isQuirkOff = (vcpu.vm.caps.disabledQuirks & quirks.MISC_ENABLE_NO_MWAIT) !== 0n;
    return !isQuirkOff || changes === 0n || guestHas(kernel, vcpu, 'XMM3');
  },
};

export const cpuRules: readonly RangeRule[] = [
  eferRule,
  ...[msr.FS_BASE, msr.GS_BASE, msr.KERNEL_GS_BASE, msr.LSTAR, msr.CSTAR].map(
    (first): RangeRule => ({ first, accepts: isCanonicalForMsr }),
  ),
  { first: msr.STAR },
  { first: msr.SYSCALL_MASK },
  { first: msr.IA32_SYSENTER_CS, keeps: (data) => data & ones(31) },
  {
    first: msr.IA32_SYSENTER_ESP,
    last: msr.IA32_SYSENTER_EIP,
    keeps: (data, access) => canonical(data, access),
  },
  {
    first: msr.TSC_AUX,
    presence: ({ kernel }) =>
      kvmHas(kernel, 'RDTSCP') || kvmHas(kernel, 'RDPID') ? 'there' : 'refused',
    // AMD's CPUs drop the upper half, Intel's refuse it.
    accepts: (data, { vcpu }) => data >> 32n === 0n || isAmdCompatible(vcpu),
    keeps: (data) => data & ones(31),
  },
  miscEnable,
  { first: msr.IA32_POWER_CTL },
  { first: msr.IA32_SMBASE, reset: 0x3_0000n },
  { first: msr.SMI_COUNT },
  {
    first: msr.K7_HWCR,
    accepts: (data, { kernel, vcpu }) => {
      const hides = guestHas(kernel, vcpu, 'GP_ON_USER_CPUID') ? hwcr.cpuidUserDis : 0n;
      return (data & ~(hwcr.dropped | hwcr.valid | hides)) === 0n;
    },
    keeps: (data) => data & ~hwcr.dropped,
  },
  {
    first: msr.IA32_FEAT_CTL,
    // A TD is told whether machine checks can come to one vCPU alone.
    read: (access) => {
      const { td, mcgCap } = access.vcpu;
      if (td === undefined) return keptValue({}, access);
      return featCtl.locked | ((mcgCap & MCG_LMCE_P) === 0n ? 0n : featCtl.lmce);
    },
    accepts: onlyBits(Object.values(featCtl).reduce((mask, bit) => mask | bit, 0n)),
    // User space that clears it resets the CPU.
    written: (data, { vcpu }) => {
      if (data === 0n) vcpu.vmxOperation = undefined;
    },
  },
  ...[
    0xa605_3e05_1270_b7acn,
    0x6cfb_e8ba_8b3b_413dn,
    0xc491_6d99_f2b3_735dn,
    0xd4f8_c059_09f9_bb3bn,
  ].map(
    // Intel's own key, of which this is the hash, launches the enclaves of a CPU that has just been reset.
    (hash, i): RangeRule => ({ first: msr.IA32_SGXLEPUBKEYHASH0 + i, reset: hash }),
  ),
  {
    first: msr.IA32_DEBUGCTL,
    accepts: (data, access) => (data & ~(supportedDebugctl(access) | debugctl.ignored)) === 0n,
    keeps: (data, access) => data & supportedDebugctl(access),
  },
  { first: msr.IA32_UMWAIT_CONTROL, accepts: withoutBits(ones(63, 32) | (1n << 1n)) },
];

const debugctl = { busLock: 1n << 2n, rtm: 1n << 15n, ignored: 0b11n } as const;

/** LBR would be one of these only with a format of branch records, which ours have not. */
function supportedDebugctl({ kernel }: MsrAccess): bigint {
  const { features } = kernel.profile.platform;
  return (
    (features.busLockDetection ? debugctl.busLock : 0n) |
    (kvmHas(kernel, 'RTM') ? debugctl.rtm : 0n)
  );
}
