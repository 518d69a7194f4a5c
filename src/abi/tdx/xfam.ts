/**
 * TD_PARAMS.XFAM: the extended CPU state a TD may use, in the layout of XCR0 | IA32_XSS. Part of
 * TDREPORT. Source: Intel TDX module, check_xfam() in helpers.c, the same in 1.5.01 to 2.0.08.
 *
 * These are the rules of every host. What a host's CPUs and KVM offer is a fact of the host.
 */
import { findEntry } from '../kvm/cpuid.ts';
import { type CpuidEntry, KVM_CPUID_FLAG_SIGNIFCANT_INDEX } from '../kvm/structs.ts';
import {
  bit,
  bits,
  type Feature,
  type FeatureFinding,
  featureNames,
  neverAllowedFindings,
  reservedBitFindings,
  setBits,
  unionOf,
} from './feature-mask.ts';

export const xfamFeatures = [
  { name: 'x87', mask: bit(0), meaning: 'x87 state; always on' },
  { name: 'sse', mask: bit(1), meaning: 'SSE state; always on' },
  { name: 'avx', mask: bit(2), meaning: 'AVX and AVX2' },
  { name: 'avx512', mask: bits(5, 6, 7), meaning: 'AVX-512; needs avx' },
  { name: 'pt', mask: bit(8), meaning: 'Processor Trace' },
  { name: 'pkru', mask: bit(9), meaning: 'protection keys for user pages' },
  { name: 'cet', mask: bits(11, 12), meaning: 'control-flow enforcement, user and supervisor' },
  { name: 'uintr', mask: bit(14), meaning: 'user interrupts' },
  { name: 'lbr', mask: bit(15), meaning: 'architectural last branch records' },
  { name: 'amx', mask: bits(17, 18), meaning: 'AMX tile configuration and data' },
] as const satisfies readonly Feature[];

export type XfamName = (typeof xfamFeatures)[number]['name'];

/** Components that XCR0 or IA32_XSS has and that no TD may have (outside XFAM_FIXED0). */
export const neverAllowedXfam = [
  { name: 'mpx', mask: bits(3, 4), meaning: 'MPX' },
  { name: 'pasid', mask: bit(10), meaning: 'PASID' },
  { name: 'hdc', mask: bit(13), meaning: 'hardware duty cycling' },
  { name: 'hwp', mask: bit(16), meaning: 'hardware P-states' },
] as const satisfies readonly Feature[];

export const xfamMask = Object.fromEntries(
  xfamFeatures.map((feature) => [feature.name, feature.mask]),
) as Readonly<Record<XfamName, bigint>>;

/** Bits that must be 1. KVM sets them by itself; the module refuses a TD without them. */
export const xfamFixed1 = xfamMask.x87 | xfamMask.sse;

/** Bits that may be 1, before the host's CPUs are taken into account. */
export const xfamFixed0 = unionOf(xfamFeatures);

/** Components that a guest switches on in XCR0; those of IA32_XSS are the rest. */
const xcr0Components =
  unionOf(xfamFeatures.filter(({ name }) => !['pt', 'cet', 'uintr', 'lbr'].includes(name))) |
  bits(3, 4);

export function xcr0Of(xfam: bigint): bigint {
  return xfam & xcr0Components;
}

/**
 * What CPUID leaf 0xD enumerates: bits of XCR0 in EDX:EAX of subleaf 0, bits of IA32_XSS in EDX:ECX of
 * subleaf 1 (Intel SDM vol. 1, section 13.2). setup_tdparams_xfam() of the series v7 to v9 read it so.
 */
export function xfamOfCpuid(entries: readonly CpuidEntry[]): bigint {
  const [user, supervisor] = [findEntry(entries, 0xd, 0), findEntry(entries, 0xd, 1)];
  return quad(user?.edx, user?.eax) | quad(supervisor?.edx, supervisor?.ecx);
}

/** The entries with leaf 0xD saying this XFAM, whatever they said of it before. */
export function withXfam(entries: readonly CpuidEntry[], xfam: bigint): CpuidEntry[] {
  const low = (mask: bigint) => Number(mask & 0xffff_ffffn);
  const [user, supervisor] = [xcr0Of(xfam), xfam & ~xcr0Of(xfam)];
  const size = { flags: KVM_CPUID_FLAG_SIGNIFCANT_INDEX, eax: 0, ebx: 0, ecx: 0, edx: 0 };
  return [
    ...entries.filter(({ function: leaf, index }) => leaf !== 0xd || index > 1),
    { ...size, function: 0xd, index: 0, eax: low(user), edx: low(user >> 32n) },
    { ...size, function: 0xd, index: 1, ecx: low(supervisor), edx: low(supervisor >> 32n) },
  ];
}

function quad(high = 0, low = 0): bigint {
  return (BigInt(high) << 32n) | BigInt(low);
}

/** `0x7` gives `['x87', 'sse', 'avx']`; bits without a name, and parts of a group, in hex. */
export function xfamNames(mask: bigint): string[] {
  return featureNames([...xfamFeatures, ...neverAllowedXfam], mask);
}

/** Why every host would refuse this XFAM; empty when only the host decides. */
export function xfamFindings(mask: bigint): FeatureFinding[] {
  return [
    ...fixed1Findings(mask),
    ...reservedBitFindings(mask, xfamFixed0 | unionOf(neverAllowedXfam)),
    ...neverAllowedFindings(mask, neverAllowedXfam),
    ...partialGroupFindings(mask),
    ...avx512Findings(mask),
  ];
}

function fixed1Findings(mask: bigint): FeatureFinding[] {
  return xfamFeatures
    .filter((feature) => (feature.mask & xfamFixed1 & ~mask) !== 0n)
    .map((feature) => ({
      name: feature.name,
      mask: feature.mask,
      rule: 'fixed-1',
      explanation: 'is always on in a TD and must be set',
    }));
}

/** Bits 5, 6 and 7 are equal, and so are 11 and 12, and 17 and 18. */
function partialGroupFindings(mask: bigint): FeatureFinding[] {
  return xfamFeatures
    .filter((feature) => (mask & feature.mask) !== 0n && (mask & feature.mask) !== feature.mask)
    .map((feature) => ({
      name: feature.name,
      mask: feature.mask & ~mask,
      rule: 'together',
      explanation: `needs its bits ${setBits(feature.mask).join(', ')} all set or all clear`,
    }));
}

/** Bit 5 needs bit 2. */
function avx512Findings(mask: bigint): FeatureFinding[] {
  const wantsAvx512 = (mask & bit(5)) !== 0n;
  if (!wantsAvx512 || (mask & xfamMask.avx) !== 0n) return [];
  return [
    { name: 'avx512', mask: xfamMask.avx, rule: 'requires', explanation: 'needs avx (bit 2)' },
  ];
}
