/**
 * The MSR lists of a host are those of the kernel, as far as the host's CPUID and PMU have what they
 * stand for.
 */
import { findEntry } from '../../../abi/kvm/cpuid.ts';
import type { Platform } from '../../platform.ts';
import { featureMsrs } from '../../profiles/msrs/features.ts';
import { emulatedMsrs, type MsrCondition, msrsToSave, pmuMsrs } from '../../profiles/msrs/lists.ts';
import { supportedCpuid } from '../cpuid/supported.ts';

export interface MsrTables {
  readonly toSave: readonly number[];
  readonly emulated: readonly number[];
  /** The MSRs of either list, which are those that kvm_is_advertised_msr() knows. */
  readonly advertised: ReadonlySet<number>;
  readonly features: ReadonlyMap<number, bigint>;
}

export function msrTablesOf(platform: Platform): MsrTables {
  const listed = msrsToSave.flatMap(({ indices, needs }) =>
    needs === undefined || holds(platform, needs) ? indices : [],
  );
  const toSave = [...listed, ...(platform.features.pmu ? pmuMsrsOf(platform) : [])];
  const advertised = new Set([...toSave, ...emulatedMsrs]);
  return { toSave, emulated: emulatedMsrs, advertised, features: featureMsrs };
}

type Register = 'eax' | 'ebx' | 'ecx' | 'edx';
/** The tuple names one bit of a CPUID register, or any bit of it. */
type Where = readonly [leaf: number, index: number, register: Register, bit: number | 'any'];

const conditions: Readonly<Record<MsrCondition, readonly Where[]>> = {
  RDTSCP: [
    [0x8000_0001, 0, 'edx', 27],
    [7, 0, 'ecx', 22],
  ],
  WAITPKG: [[7, 0, 'ecx', 5]],
  XFD: [[0xd, 1, 'eax', 4]],
  XSS: [[0xd, 1, 'ecx', 'any']],
  // The guest has CET when it has shadow stacks or indirect branch tracking.
  CET: [
    [7, 0, 'ecx', 7],
    [7, 0, 'edx', 20],
  ],
  SHSTK: [[7, 0, 'ecx', 7]],
};

function holds(platform: Platform, condition: MsrCondition): boolean {
  const cpuid = supportedCpuid(platform);
  return conditions[condition].some(([leaf, index, register, bit]) => {
    const value = findEntry(cpuid, leaf, index)?.[register] ?? 0;
    return bit === 'any' ? value !== 0 : ((value >>> bit) & 1) === 1;
  });
}

function pmuMsrsOf(platform: Platform): number[] {
  const counters = ((findEntry(supportedCpuid(platform), 0xa, 0)?.eax ?? 0) >>> 8) & 0xff;
  const count = Math.min(counters, pmuMsrs.mostCounters);
  const from = (first: number) => Array.from({ length: count }, (_, i) => first + i);
  return [...pmuMsrs.common, ...from(pmuMsrs.firstCounter), ...from(pmuMsrs.firstEventSelect)];
}
