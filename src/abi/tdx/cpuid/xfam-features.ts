/**
 * CPUID bits that stand for an extended feature: a guest has them only with the feature's state.
 * Source: xfam_mask_* in cpuid_configurations.c of the TDX module 2.0.08. Older releases have fewer, and
 * show the bits that they lack here to no TD. What AMX adds to leaf 7.1 EDX is Intel's SDM, vol. 2A.
 */
import { bitsOf, type CpuidRegister } from '../../cpuid/registers.ts';
import { type XfamName, xfamMask } from '../xfam.ts';

interface XfamFeatures {
  readonly leaf: number;
  readonly subleaf: number;
  readonly register: CpuidRegister;
  readonly bits: Readonly<Partial<Record<XfamName, number>>>;
}

const xfamFeatures: readonly XfamFeatures[] = [
  // FMA, AVX, F16C
  { leaf: 1, subleaf: 0, register: 'ecx', bits: { avx: bitsOf(12, 28, 29) } },
  {
    leaf: 7,
    subleaf: 0,
    register: 'ebx',
    bits: { avx: bitsOf(5), avx512: bitsOf(16, 17, 21, 26, 27, 28, 30, 31), pt: bitsOf(25) },
  },
  {
    leaf: 7,
    subleaf: 0,
    register: 'ecx',
    bits: {
      avx: bitsOf(9, 10),
      avx512: bitsOf(1, 6, 11, 12, 14),
      pkru: bitsOf(3),
      cet: bitsOf(7),
    },
  },
  {
    leaf: 7,
    subleaf: 0,
    register: 'edx',
    bits: {
      avx512: bitsOf(2, 3, 8, 23),
      uintr: bitsOf(5),
      lbr: bitsOf(19),
      cet: bitsOf(20),
      amx: bitsOf(22, 24, 25),
    },
  },
  {
    leaf: 7,
    subleaf: 1,
    register: 'eax',
    bits: { avx: bitsOf(4, 23), avx512: bitsOf(0, 5), amx: bitsOf(21) },
  },
  { leaf: 7, subleaf: 1, register: 'edx', bits: { avx: bitsOf(4, 5, 10), amx: bitsOf(8) } },
  // XFD: AMX has the only component that can fault on its first use.
  { leaf: 0xd, subleaf: 1, register: 'eax', bits: { amx: bitsOf(4) } },
];

/** The bits of a register that a guest without all of these features does not have. */
export function bitsWithoutXfam(
  { leaf, subleaf = 0, register }: { leaf: number; subleaf?: number | undefined; register: string },
  xfam: bigint,
): number {
  const row = xfamFeatures.find(
    (each) => each.leaf === leaf && each.subleaf === subleaf && each.register === register,
  );
  let bits = 0;
  for (const [name, mask] of Object.entries(row?.bits ?? {})) {
    const needed = xfamMask[name as XfamName];
    if ((xfam & needed) !== needed) bits |= mask;
  }
  return bits >>> 0;
}
