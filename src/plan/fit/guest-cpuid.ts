/** Tells what of its configured CPUID a guest can depend on, and what another host lacks of it. */
import { type CpuidRegister, cpuidRegisters } from '../../abi/cpuid/registers.ts';
import {
  ADDRESS_SIZES_LEAF,
  findEntry,
  guestAddressBits,
  withGuestAddressBits,
} from '../../abi/kvm/cpuid.ts';
import type { CpuidEntry } from '../../abi/kvm/structs.ts';
import { bitsWithoutXfam } from '../../abi/tdx/cpuid/xfam-features.ts';
import { always, type Reason } from '../judge/objection.ts';

/** Caches, topology and clock are numbers that describe a machine, not features to depend on. */
const descriptive = new Set([0x2, 0x4, 0xb, 0x15, 0x16, 0x18, 0x1f]);

/** Keeps what the guest can depend on: features, the CPU model, the address width. */
export function seenCpuid(cpuid: readonly CpuidEntry[]): CpuidEntry[] {
  return cpuid
    .filter((entry) => !descriptive.has(entry.function))
    .map((entry) =>
      entry.function === ADDRESS_SIZES_LEAF
        ? { ...entry, eax: withGuestAddressBits(0, guestAddressBits([entry]) ?? 0) }
        : entry,
    )
    .filter((entry) => cpuidRegisters.some((register) => entry[register] !== 0));
}

/** In these registers each bit is a feature that software looks for by itself. */
const featureRegisters: readonly {
  readonly leaf: number;
  readonly subleaf: number;
  readonly register: CpuidRegister;
}[] = [
  { leaf: 1, subleaf: 0, register: 'ecx' },
  { leaf: 1, subleaf: 0, register: 'edx' },
  { leaf: 7, subleaf: 0, register: 'ebx' },
  { leaf: 7, subleaf: 0, register: 'ecx' },
  { leaf: 7, subleaf: 0, register: 'edx' },
  { leaf: 7, subleaf: 1, register: 'eax' },
  { leaf: 7, subleaf: 1, register: 'edx' },
  { leaf: 7, subleaf: 2, register: 'edx' },
  { leaf: 0xd, subleaf: 1, register: 'eax' },
  { leaf: 0x80000001, subleaf: 0, register: 'ecx' },
  { leaf: 0x80000001, subleaf: 0, register: 'edx' },
  { leaf: ADDRESS_SIZES_LEAF, subleaf: 0, register: 'ebx' },
];

/**
 * Finds features that the guest may have found and the other host's CPUs lack. What the module
 * shows of a bit that nobody may configure is not known, so what KVM supports stands for it.
 */
export function lostCpuid(
  { xfam, supported }: { readonly xfam: bigint; readonly supported: readonly CpuidEntry[] },
  there: readonly CpuidEntry[],
): Reason[] {
  return featureRegisters.flatMap(({ leaf, subleaf, register }) => {
    const value = (entries: readonly CpuidEntry[]) =>
      findEntry(entries, leaf, subleaf)?.[register] ?? 0;
    const turnedOff = bitsWithoutXfam({ leaf, subleaf, register }, xfam);
    const lost = (value(supported) & ~value(there) & ~turnedOff) >>> 0;
    if (lost === 0) return [];
    const place = `0x${leaf.toString(16)}.${subleaf} ${register.toUpperCase()}`;
    return [always('cpuid', `leaf ${place}: the CPUs lack 0x${lost.toString(16)}`)];
  });
}
