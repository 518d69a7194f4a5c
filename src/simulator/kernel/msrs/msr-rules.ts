/**
 * A rule tells what is particular to an MSR: whether a guest has it, what it holds at first, and what
 * it takes.
 */
import { findEntry } from '../../../abi/kvm/cpuid.ts';
import { msr } from '../../../abi/kvm/msrs.ts';
import type { Kernel } from '../kernel.ts';
import { KVM_MAX_MCE_BANKS } from '../limits.ts';
import type { Vcpu } from '../objects.ts';
import { isLegalGpa } from '../vcpu/cpuid.ts';

export interface MsrRule {
  /**
   * `not there` means that this guest does not have it (KVM_MSR_RET_UNSUPPORTED). Every guest has an
   * MSR without this rule.
   */
  readonly there?: (vcpu: Vcpu, index: number) => 'yes' | 'refused' | 'not there';
  /** First value, which is 0 where it is absent. */
  readonly reset?: bigint | ((kernel: Kernel, vcpu: Vcpu) => bigint);
  /** Value that is read whatever was written. Undefined means that what was written counts. */
  readonly read?: (kernel: Kernel, vcpu: Vcpu, index: number) => bigint | undefined;
  /** Tells which values the MSR takes. Where it is absent, the MSR takes any. */
  readonly accepts?: (data: bigint, vcpu: Vcpu, index: number, kernel: Kernel) => boolean;
}

interface RangeRule extends MsrRule {
  readonly first: number;
  readonly last?: number;
}

const allOnes = (1n << 64n) - 1n;
const readOnly = () => false;
const mcg = { ctl: 1n << 8n, cmci: 1n << 10n, lmce: 1n << 27n } as const;
const featCtl = { locked: 1n, lmceEnabled: 1n << 20n } as const;
const apicBase = { address: 0xfee0_0000n, enabled: 1n << 11n, x2apic: 1n << 10n, bsp: 1n << 8n };
const STUFF_FEATURE_MSRS = 1n << 8n;

/** KVM gives a new vCPU the host's features, unless it was told not to. */
const stuffed =
  (index: number) =>
  ({ msrs }: Kernel, { vm }: Vcpu) =>
    (vm.caps.disabledQuirks & STUFF_FEATURE_MSRS) === 0n ? (msrs.features.get(index) ?? 0n) : 0n;

const hasCpuid =
  (leaf: number, register: 'ecx' | 'edx', bit: number, otherwise: 'refused' | 'not there') =>
  ({ cpuid }: Vcpu) =>
    (((findEntry(cpuid, leaf)?.[register] ?? 0) >>> bit) & 1) === 1 ? 'yes' : otherwise;

const banks = (vcpu: Vcpu) => Number(vcpu.mcgCap & 0xffn);
/** The types of the memory type ranges are UC, WC, WT, WP and WB. */
const mtrrType = (data: bigint) => [0n, 1n, 4n, 5n, 6n].includes(data & 0xffn);
const allBytes = (data: bigint, valid: (byte: bigint) => boolean) =>
  Array.from({ length: 8 }, (_, i) => data >> BigInt(8 * i)).every(valid);
/** The page attribute table takes the same types, and UC- besides. */
const patType = (data: bigint) => mtrrType(data) || (data & 0xffn) === 7n;

const rules: readonly RangeRule[] = [
  { first: msr.IA32_UCODE_REV, reset: (_, { td }) => (td === undefined ? 1n << 32n : 0n) },
  {
    first: msr.IA32_ARCH_CAPABILITIES,
    there: hasCpuid(7, 'edx', 29, 'not there'),
    reset: stuffed(msr.IA32_ARCH_CAPABILITIES),
  },
  {
    first: msr.IA32_PERF_CAPABILITIES,
    there: hasCpuid(1, 'ecx', 15, 'not there'),
    reset: stuffed(msr.IA32_PERF_CAPABILITIES),
    accepts: (data, _vcpu, index, { msrs }) => (data & ~(msrs.features.get(index) ?? 0n)) === 0n,
  },
  { first: msr.PLATFORM_INFO, reset: stuffed(msr.PLATFORM_INFO) },
  {
    first: msr.MISC_FEATURES_ENABLES,
    // A guest can have CPUID faulting where the platform has it.
    accepts: (data, vcpu, _index, kernel) => {
      const platform = vcpu.msrs.get(msr.PLATFORM_INFO) ?? stuffed(msr.PLATFORM_INFO)(kernel, vcpu);
      return (data & ~1n) === 0n && (data === 0n || (platform & (1n << 31n)) !== 0n);
    },
  },
  // The value tells the guest that it has no performance monitoring of either kind.
  { first: msr.IA32_MISC_ENABLE, reset: 0x1800n },
  {
    first: msr.IA32_CR_PAT,
    reset: 0x0007_0406_0007_0406n,
    accepts: (data) => allBytes(data, patType),
  },
  // A deadline is set only while the timer is in that mode, which only the guest can bring about.
  { first: msr.IA32_TSC_DEADLINE, read: () => 0n },
  { first: msr.KVM_POLL_CONTROL, reset: 1n, accepts: (data) => data <= 1n },

  // The following MSRs are those of the memory type ranges.
  { first: msr.MTRRcap, reset: 0x508n, accepts: readOnly },
  {
    first: msr.MTRRphysBase0,
    last: msr.MTRRphysMask7,
    // An even index is a base and has a type; an odd one is a mask.
    accepts: (data, vcpu, index) =>
      isLegalGpa(vcpu, data) &&
      (index % 2 === 0 ? mtrrType(data) && (data & 0xf00n) === 0n : (data & 0x7ffn) === 0n),
  },
  ...[
    [msr.MTRRfix64K_00000, msr.MTRRfix64K_00000],
    [msr.MTRRfix16K_80000, msr.MTRRfix16K_A0000],
    [msr.MTRRfix4K_C0000, msr.MTRRfix4K_F8000],
  ].map(
    ([first = 0, last = 0]): RangeRule => ({
      first,
      last,
      accepts: (data) => allBytes(data, mtrrType),
    }),
  ),
  {
    first: msr.MTRRdefType,
    accepts: (data) => (data & ~0xcffn) === 0n && mtrrType(data),
  },

  // The following MSRs are those of the local APIC.
  {
    first: msr.IA32_APICBASE,
    reset: (_kernel, { id, vm, td }) =>
      apicBase.address |
      apicBase.enabled |
      (id === vm.bootVcpuId ? apicBase.bsp : 0n) |
      (td?.x2apicBaseSet === true ? apicBase.x2apic : 0n),
  },
  {
    first: msr.X2APIC,
    last: msr.X2APIC + 0xff,
    there: ({ td }) => (td?.x2apicBaseSet === true ? 'yes' : 'refused'),
    read: (_kernel, { id }, index) => (index === msr.X2APIC + 2 ? BigInt(id) : undefined),
  },

  // The following MSRs are those of machine checks.
  { first: msr.IA32_MCG_CAP, read: (_kernel, { mcgCap }) => mcgCap, accepts: readOnly },
  { first: msr.IA32_MCG_STATUS },
  {
    first: msr.IA32_MCG_CTL,
    accepts: (data, { mcgCap }) => data === 0n || ((mcgCap & mcg.ctl) !== 0n && data === allOnes),
  },
  { first: msr.IA32_MCG_EXT_CTL, accepts: (data) => data <= 1n },
  {
    first: msr.IA32_MC0_CTL2,
    last: msr.IA32_MC0_CTL2 + KVM_MAX_MCE_BANKS - 1,
    there: (vcpu, index) => (index < msr.IA32_MC0_CTL2 + banks(vcpu) ? 'yes' : 'refused'),
    // Only the enable bit and the threshold can be set.
    accepts: (data, { mcgCap }) =>
      data === 0n || ((mcgCap & mcg.cmci) !== 0n && (data & ~0x4000_7fffn) === 0n),
  },
  {
    first: msr.IA32_MC0_CTL,
    last: msr.IA32_MC0_CTL + 4 * KVM_MAX_MCE_BANKS - 1,
    there: (vcpu, index) => (index < msr.IA32_MC0_CTL + 4 * banks(vcpu) ? 'yes' : 'refused'),
    // A control register must be all 0 or all 1, but for two bits that old guests clear.
    accepts: (data, _vcpu, index) =>
      index % 4 !== 0 || data === 0n || (data | (1n << 10n) | 1n) === allOnes,
  },
  {
    first: msr.IA32_FEAT_CTL,
    read: (_kernel, { td, mcgCap }) => {
      if (td === undefined) return undefined;
      return featCtl.locked | ((mcgCap & mcg.lmce) === 0n ? 0n : featCtl.lmceEnabled);
    },
  },

  // A TD is born in 64-bit mode, with SCE, LME, LMA and NX set.
  { first: msr.EFER, reset: (_kernel, { td }) => (td === undefined ? 0n : 0xd01n) },
  { first: msr.FS_BASE, last: msr.GS_BASE },
  {
    first: msr.IA32_VMX_BASIC,
    last: msr.IA32_VMX_VMFUNC,
    there: hasCpuid(1, 'ecx', 5, 'refused'),
    read: ({ msrs }, vcpu, index) => vcpu.msrs.get(index) ?? msrs.features.get(index),
  },
  ...[msr.IA32_U_CET, msr.IA32_S_CET].map(
    (first): RangeRule => ({
      first,
      there: (vcpu) =>
        hasCpuid(7, 'ecx', 7, 'not there')(vcpu) === 'yes'
          ? 'yes'
          : hasCpuid(7, 'edx', 20, 'not there')(vcpu),
    }),
  ),
];

/** Returns undefined where nothing is particular to the MSR. */
export function ruleOf(index: number): MsrRule | undefined {
  return rules.find(({ first, last = first }) => index >= first && index <= last);
}
