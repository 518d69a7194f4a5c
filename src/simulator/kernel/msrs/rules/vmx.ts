/**
 * What a nested hypervisor finds of VMX: vmx_get_vmx_msr() and vmx_set_vmx_msr() in
 * arch/x86/kvm/vmx/nested.c. User space may take features away from what KVM offers, never add one.
 */

import { msr } from '../../../../abi/kvm/msrs.ts';
import type { CpuidEntry } from '../../../../abi/kvm/structs.ts';
import { alwaysOn } from '../../../profiles/msrs/vmx.ts';
import { cpuidHas } from '../../cpuid/cpu-features.ts';
import { cr4Features } from '../../vcpu/cr4.ts';
import { guestHas } from '../../vcpu/guest-cpu-caps.ts';
import { ones } from '../bits.ts';
import { keptValue, type MsrAccess, type MsrRule, type RangeRule } from '../rule.ts';
import { isStuffed } from './features.ts';

const offered = ({ kernel, index }: MsrAccess) => kernel.msrs.features.get(index) ?? 0n;
/** Without the quirk, a new vCPU has none of the features until user space sets them. */
const stuffed = (access: MsrAccess) => (isStuffed(access) ? offered(access) : 0n);

/** Every bit of the first that the mask has is in the second. */
const isSubset = (part: bigint, whole: bigint, mask = ones(63)) => (part & mask & ~whole) === 0n;
const field = (data: bigint, highest: number, lowest: number) =>
  (data & ones(highest, lowest)) >> BigInt(lowest);

/** The low half has the controls that must be 1, the high half those that may be. */
const control: MsrRule = {
  reset: stuffed,
  accepts: (data, access) =>
    isSubset(offered(access), data, ones(31)) && isSubset(data, offered(access), ones(63, 32)),
};

/** These are made of others: their values cannot be set. */
const derived = (read: (access: MsrAccess) => bigint): MsrRule => ({
  read,
  accepts: () => false,
});

const withoutTrueControls = (trueControls: number, on: bigint): MsrRule =>
  derived((access) => keptValue(control, { ...access, index: trueControls }) | on);

const basic = {
  features: ones(49, 49) | ones(54, 54) | ones(55, 55) | ones(56, 56),
  reserved: ones(63, 57) | ones(47, 45) | ones(31, 31),
  addresses32: 1n << 48n,
} as const;

const miscBits = {
  features: ones(8, 5) | ones(14, 14) | ones(15, 15) | ones(30, 28),
  reserved: ones(31, 31) | ones(13, 9),
} as const;
const PREEMPTION_TIMER = 1n << (32n + 6n);

const featuresOnly = (data: bigint, access: MsrAccess) => isSubset(data, offered(access));
const fixed0 = (data: bigint, access: MsrAccess) => isSubset(offered(access), data);

const rules: readonly RangeRule[] = [
  {
    first: msr.IA32_VMX_BASIC,
    reset: stuffed,
    accepts: (data, access) => {
      const own = offered(access);
      return (
        isSubset(data, own, basic.features | basic.reserved) &&
        (data & basic.addresses32) === 0n &&
        field(data, 30, 0) === field(own, 30, 0) &&
        field(data, 44, 32) >= field(own, 44, 32)
      );
    },
  },
  {
    first: msr.IA32_VMX_PINBASED_CTLS,
    ...withoutTrueControls(msr.IA32_VMX_TRUE_PINBASED_CTLS, alwaysOn.pinBased),
  },
  {
    first: msr.IA32_VMX_PROCBASED_CTLS,
    ...withoutTrueControls(msr.IA32_VMX_TRUE_PROCBASED_CTLS, alwaysOn.cpuBased),
  },
  {
    first: msr.IA32_VMX_EXIT_CTLS,
    ...withoutTrueControls(msr.IA32_VMX_TRUE_EXIT_CTLS, alwaysOn.exit),
  },
  {
    first: msr.IA32_VMX_ENTRY_CTLS,
    ...withoutTrueControls(msr.IA32_VMX_TRUE_ENTRY_CTLS, alwaysOn.entry),
  },
  { first: msr.IA32_VMX_TRUE_PINBASED_CTLS, last: msr.IA32_VMX_TRUE_ENTRY_CTLS, ...control },
  { first: msr.IA32_VMX_PROCBASED_CTLS2, ...control },
  {
    first: msr.IA32_VMX_MISC,
    reset: stuffed,
    accepts: (data, access) => {
      const own = offered(access);
      const pinBased = { ...access, index: msr.IA32_VMX_TRUE_PINBASED_CTLS };
      const hasTimer = (keptValue(control, pinBased) & PREEMPTION_TIMER) !== 0n;
      return (
        isSubset(data, own, miscBits.features | miscBits.reserved) &&
        (!hasTimer || field(data, 4, 0) === field(own, 4, 0)) &&
        // The number of CR3 targets, the size of MSR lists, and the revision of the monitor.
        field(data, 24, 16) <= field(own, 24, 16) &&
        field(data, 27, 25) <= field(own, 27, 25) &&
        field(data, 63, 32) === field(own, 63, 32)
      );
    },
  },
  { first: msr.IA32_VMX_CR0_FIXED0, reset: stuffed, accepts: fixed0 },
  { first: msr.IA32_VMX_CR4_FIXED0, reset: stuffed, accepts: fixed0 },
  { first: msr.IA32_VMX_CR0_FIXED1, ...derived(() => ones(31)) },
  { first: msr.IA32_VMX_CR4_FIXED1, ...derived(({ vcpu }) => cr4Fixed1(vcpu.cpuid)) },
  { first: msr.IA32_VMX_EPT_VPID_CAP, reset: stuffed, accepts: featuresOnly },
  { first: msr.IA32_VMX_VMCS_ENUM, reset: stuffed },
  { first: msr.IA32_VMX_VMFUNC, reset: stuffed, accepts: featuresOnly },
];

export const vmxRules: readonly RangeRule[] = rules.map(({ accepts, ...rule }) => ({
  ...rule,
  // Nothing of them changes in VMX operation.
  accepts: (data, access) =>
    access.vcpu.vmxOperation === undefined && accepts?.(data, access) !== false,
  presence: ({ kernel, vcpu }) => (guestHas(kernel, vcpu, 'VMX') ? 'there' : 'refused'),
}));

const PCE = 1n << 8n;
/** Bits of CR4 that the guest may set in VMX operation, by the features that bring them. */
const cr4Bits: typeof cr4Features = [
  [0, 'VME'],
  [1, 'VME'],
  [2, 'TSC'],
  [3, 'DE'],
  [4, 'PSE'],
  [5, 'PAE'],
  [6, 'MCE'],
  [7, 'PGE'],
  [9, 'FXSR'],
  [10, 'XMM'],
  [14, 'SMX'],
  ...cr4Features,
];

/** nested_vmx_cr_fixed1_bits_update() */
function cr4Fixed1(cpuid: readonly CpuidEntry[]): bigint {
  return cr4Bits
    .filter(([, ...features]) => features.some((feature) => cpuidHas(cpuid, feature)))
    .reduce((mask, [bit]) => mask | (1n << BigInt(bit)), PCE);
}
