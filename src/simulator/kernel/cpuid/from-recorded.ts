/**
 * The CPUs of a host of which only KVM_GET_SUPPORTED_CPUID is known. KVM tells the features that it gives
 * guests and some leaves whole; the rest is that of a CPU of the same kind.
 */
import { type RawCpuid, type RawLeaf, raw, withRows } from '../../../abi/cpuid/raw.ts';
import { findEntry } from '../../../abi/kvm/cpuid.ts';
import type { CpuidEntry } from '../../../abi/kvm/structs.ts';
import { type FeatureWord, featureWords } from './feature-words.ts';

/** Leaves that KVM gives as the CPU has them. */
const copied: ReadonlySet<number> = new Set([0x2, 0x4, 0x1d, 0x8000_0006]);

export function cpuidOfRecorded(like: RawCpuid, recorded: readonly CpuidEntry[]): RawCpuid {
  const whole = recorded
    .filter(({ function: leaf }) => copied.has(leaf))
    .map(({ function: leaf, index, flags, eax, ebx, ecx, edx }) =>
      raw(leaf, flags === 0 ? undefined : index, [eax, ebx, ecx, edx]),
    );
  return withRows(like, whole).map((row) => withFeatures(row, recorded));
}

function withFeatures(row: RawLeaf, recorded: readonly CpuidEntry[]): RawLeaf {
  let known = row;
  for (const word of Object.values<FeatureWord>(featureWords)) {
    const { leaf, subleaf, register } = word;
    if (row.leaf !== leaf || (row.subleaf ?? 0) !== subleaf) continue;
    const shown = findEntry(recorded, leaf, subleaf)?.[register] ?? 0;
    const mask = toldByKvm(word);
    known = { ...known, [register]: ((known[register] & ~mask) | (shown & mask)) >>> 0 };
  }
  return known;
}

/** What KVM emulates says nothing about the CPU. */
function toldByKvm({ features, emulated = [] }: FeatureWord): number {
  return Object.entries(features)
    .filter(([name]) => !emulated.includes(name))
    .reduce((mask, [, bit]) => (mask | (1 << bit)) >>> 0, 0);
}
