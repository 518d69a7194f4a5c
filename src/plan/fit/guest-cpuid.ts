/** Tells what of its configured CPUID a guest can depend on, and what another host lacks of it. */
import { ADDRESS_SIZES_LEAF, guestAddressBits, withGuestAddressBits } from '../../abi/kvm/cpuid.ts';
import type { CpuidEntry } from '../../abi/kvm/structs.ts';
import { type XfamName, xfamMask } from '../../abi/tdx/xfam.ts';
import { always, type Reason } from './reasons.ts';

const registers = ['eax', 'ebx', 'ecx', 'edx'] as const;

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
    .filter((entry) => registers.some((register) => entry[register] !== 0));
}

type Register = (typeof registers)[number];

interface FeatureRegister {
  readonly leaf: number;
  readonly index: number;
  readonly register: Register;
  /** The bits that a TD has only with the XFAM feature (Intel SDM vol. 2A, CPUID). */
  readonly byXfam?: Readonly<Partial<Record<XfamName, number>>>;
}

/** In these registers each bit is a feature that software looks for by itself. */
const featureRegisters: readonly FeatureRegister[] = [
  { leaf: 1, index: 0, register: 'ecx', byXfam: { avx: bitsOf(12, 28, 29) } },
  { leaf: 1, index: 0, register: 'edx' },
  {
    leaf: 7,
    index: 0,
    register: 'ebx',
    byXfam: { avx: bitsOf(5), avx512: bitsOf(16, 17, 21, 28, 30, 31) },
  },
  {
    leaf: 7,
    index: 0,
    register: 'ecx',
    byXfam: {
      avx: bitsOf(9, 10),
      avx512: bitsOf(1, 6, 11, 12, 14),
      pkru: bitsOf(3),
      cet: bitsOf(7),
    },
  },
  {
    leaf: 7,
    index: 0,
    register: 'edx',
    byXfam: {
      avx512: bitsOf(2, 3, 8, 23),
      uintr: bitsOf(5),
      lbr: bitsOf(19),
      cet: bitsOf(20),
      amx: bitsOf(22, 24, 25),
    },
  },
  {
    leaf: 7,
    index: 1,
    register: 'eax',
    byXfam: { avx: bitsOf(4, 23), avx512: bitsOf(5), amx: bitsOf(21) },
  },
  { leaf: 7, index: 1, register: 'edx', byXfam: { avx: bitsOf(4, 5, 10), amx: bitsOf(8) } },
  { leaf: 7, index: 2, register: 'edx' },
  { leaf: 0xd, index: 1, register: 'eax' },
  { leaf: 0x80000001, index: 0, register: 'ecx' },
  { leaf: 0x80000001, index: 0, register: 'edx' },
  { leaf: ADDRESS_SIZES_LEAF, index: 0, register: 'ebx' },
];

function bitsOf(...numbers: readonly number[]): number {
  return numbers.reduce((mask, number) => mask | (1 << number), 0);
}

/**
 * Finds features that the guest may have found and the other host's CPUs lack. What the module
 * shows of a bit that nobody may configure is not known, so what KVM supports stands for it.
 */
export function lostCpuid(
  { xfam, supported }: { readonly xfam: bigint; readonly supported: readonly CpuidEntry[] },
  there: readonly CpuidEntry[],
): Reason[] {
  return featureRegisters.flatMap(({ leaf, index, register, byXfam = {} }) => {
    const value = (entries: readonly CpuidEntry[]) =>
      entries.find((entry) => entry.function === leaf && entry.index === index)?.[register] ?? 0;
    const lost = (value(supported) & ~value(there) & ~turnedOff(byXfam, xfam)) >>> 0;
    if (lost === 0) return [];
    const place = `0x${leaf.toString(16)}.${index} ${register.toUpperCase()}`;
    return [always('cpuid', `leaf ${place}: the CPUs lack 0x${lost.toString(16)}`)];
  });
}

function turnedOff(byXfam: NonNullable<FeatureRegister['byXfam']>, xfam: bigint): number {
  return Object.entries(byXfam).reduce(
    (mask, [name, bits]) => ((xfam & xfamMask[name as XfamName]) === 0n ? mask | bits : mask),
    0,
  );
}
