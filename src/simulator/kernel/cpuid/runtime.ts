/**
 * What KVM itself keeps up to date in a vCPU's CPUID, whatever user space gave: bits that follow the
 * vCPU's registers, and sizes of its extended state.
 * Source: kvm_update_cpuid_runtime() and kvm_apply_cpuid_pv_features_quirk() in arch/x86/kvm/cpuid.c,
 * Linux 7.3.
 */
import { xsaveAreaBytes } from '../../../abi/cpuid/raw.ts';
import { bitsOf } from '../../../abi/cpuid/registers.ts';
import { findEntry } from '../../../abi/kvm/cpuid.ts';
import { msr } from '../../../abi/kvm/msrs.ts';
import type { CpuidEntry } from '../../../abi/kvm/structs.ts';
import type { Kernel } from '../kernel.ts';
import type { Vcpu } from '../objects.ts';
import { resetState } from '../vcpu/reset-state.ts';

/** The entries that user space gave, as the vCPU has them now. */
export function cpuidNow(
  kernel: Kernel,
  vcpu: Vcpu,
  given: readonly CpuidEntry[] = vcpu.cpuid,
): readonly CpuidEntry[] {
  const state = registersOf(vcpu);
  const changes = new Map<CpuidEntry, Partial<CpuidEntry>>();
  const change = (leaf: number, index: number, to: (entry: CpuidEntry) => Partial<CpuidEntry>) => {
    const entry = findEntry(given, leaf, index);
    if (entry !== undefined) changes.set(entry, { ...changes.get(entry), ...to(entry) });
  };
  const bytes = (components: bigint, form: 'standard' | 'compacted') =>
    xsaveAreaBytes(kernel.profile.platform.cpuid, components, form);

  change(1, 0, ({ ecx, edx }) => ({
    ecx: follow(followMwait(vcpu, ecx), 27, state.osxsave),
    edx: follow(edx, 9, state.apicEnabled),
  }));
  change(7, 0, ({ ecx }) => ({ ecx: follow(ecx, 4, state.protectionKeys) }));
  change(0xd, 0, () => ({ ebx: bytes(state.xcr0, 'standard') }));
  change(0xd, 1, ({ eax, ebx }) => {
    const hasCompactedForm = (eax & bitsOf(1, 3)) !== 0;
    return { ebx: hasCompactedForm ? bytes(state.xcr0 | state.xss, 'compacted') : ebx };
  });
  const features = paravirtualLeaf(given);
  if (vcpu.vm.caps.haltInGuest && features !== undefined) {
    // Nobody need kick a vCPU that halts without an exit.
    change(features, 0, ({ eax }) => ({ eax: follow(eax, 7, false) }));
  }
  return given.map((entry) => ({ ...entry, ...changes.get(entry) }));
}

const MISC_ENABLE_NO_MWAIT = 1n << 4n;
const MISC_ENABLE_MWAIT = 1n << 18n;

/** MWAIT follows IA32_MISC_ENABLE where user space has given up the quirk that it does not. */
function followMwait({ vm, msrs }: Vcpu, ecx: number): number {
  if ((vm.caps.disabledQuirks & MISC_ENABLE_NO_MWAIT) === 0n) return ecx;
  return follow(ecx, 3, ((msrs.get(msr.IA32_MISC_ENABLE) ?? 0n) & MISC_ENABLE_MWAIT) !== 0n);
}

function follow(value: number, bit: number, isSet: boolean): number {
  return (isSet ? value | (1 << bit) : value & ~(1 << bit)) >>> 0;
}

interface Registers {
  readonly osxsave: boolean;
  readonly protectionKeys: boolean;
  readonly apicEnabled: boolean;
  readonly xcr0: bigint;
  readonly xss: bigint;
}

/** Offsets in struct kvm_sregs and struct kvm_xcrs, and bits of the registers there. */
const offsets = { cr4: 248, apicBase: 272, xcr0: 16 } as const;
const cr4 = { OSXSAVE: 1n << 18n, PKE: 1n << 22n } as const;
const APICBASE_ENABLE = 1n << 11n;

/** KVM does not know the registers of a TD, and takes them for those of a reset. */
function registersOf(vcpu: Vcpu): Registers {
  const read = (name: 'SREGS' | 'XCRS', offset: number) => {
    const bytes = vcpu.state.get(name) ?? resetState(name, vcpu);
    return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(offset, true);
  };
  const cr4Value = read('SREGS', offsets.cr4);
  const apicBase = vcpu.msrs.get(msr.IA32_APICBASE) ?? read('SREGS', offsets.apicBase);
  return {
    osxsave: (cr4Value & cr4.OSXSAVE) !== 0n,
    protectionKeys: (cr4Value & cr4.PKE) !== 0n,
    apicEnabled: (apicBase & APICBASE_ENABLE) !== 0n,
    xcr0: read('XCRS', offsets.xcr0),
    xss: vcpu.msrs.get(msr.IA32_XSS) ?? 0n,
  };
}

/** KVM's leaf of features is behind its signature, at one of the bases that hypervisors use. */
function paravirtualLeaf(entries: readonly CpuidEntry[]): number | undefined {
  const base = entries.find(
    ({ function: leaf, ebx, ecx, edx }) =>
      leaf >= 0x4000_0000 &&
      leaf < 0x4001_0000 &&
      leaf % 0x100 === 0 &&
      ebx === 0x4b4d_564b &&
      ecx === 0x564b_4d56 &&
      edx === 0x4d,
  );
  return base && base.function + 1;
}
