import type { CpuidEntry } from '../../abi/kvm/structs.ts';
import { KVM_CPUID_FLAG_SIGNIFCANT_INDEX } from '../../abi/kvm/structs.ts';
import type { ConfigurableLeaf } from '../../abi/tdx/cpuid-config.ts';
import type { CpuidRegisters } from '../../abi/tdx/td-params.ts';
import type { ModuleState, NativeCpuid } from './module-state.ts';

/**
 * One number stands for a leaf and its subleaf, packed as in the field id of CPUID_VALUES: 7 bits of
 * leaf, its bit 31, 7 bits of subleaf. It is undefined where the packing has no room, and such a leaf
 * is not read.
 */
export function cpuidKey(leaf: number, subleaf: number | undefined): number | undefined {
  const extended = leaf >= 0x8000_0000;
  const low = extended ? leaf - 0x8000_0000 : leaf;
  if (low > 0x7f || (subleaf ?? 0) > 0x7f) return undefined;
  return packCpuidKey(extended, low, subleaf);
}

export function packCpuidKey(extended: boolean, leaf: number, subleaf: number | undefined): number {
  const subleafBits = subleaf === undefined ? 0xff : subleaf;
  return (extended ? 1 << 15 : 0) | (leaf << 8) | subleafBits;
}

/** Gives the CPU's own values, by key. A subleaf that KVM leaves out below a listed one is all zero. */
export function nativeCpuid(entries: readonly CpuidEntry[]): NativeCpuid {
  const values = new Map<number, CpuidRegisters>();
  for (const entry of entries) {
    const indexed = (entry.flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX) !== 0;
    const key = cpuidKey(entry.function, indexed ? entry.index : undefined);
    if (key === undefined) continue;
    values.set(key, entry);
    for (let below = entry.index - 1; indexed && below >= 0; below--) {
      const gap = cpuidKey(entry.function, below);
      if (gap === undefined || values.has(gap)) break;
      values.set(gap, zero);
    }
  }
  return values;
}

/** Gives the place of each configurable leaf in TD_PARAMS.CPUID_CONFIG, by key. */
export function configurablePlaces(
  leaves: readonly ConfigurableLeaf[],
): ReadonlyMap<number, number> {
  const places = new Map<number, number>();
  for (const [i, leaf] of leaves.entries()) {
    const key = cpuidKey(leaf.leaf, leaf.subleaf);
    if (key !== undefined) places.set(key, i);
  }
  return places;
}

/** Gives one leaf of a TD: the CPU's values, with the bits that TD_PARAMS chose in their places. */
export function tdCpuid(
  module: ModuleState,
  config: readonly CpuidRegisters[],
  key: number,
): CpuidRegisters | undefined {
  const native = module.nativeCpuid.get(key);
  const place = module.configurablePlaces.get(key);
  if (place === undefined) return native;
  const mask = module.release.cpuidConfig[place];
  return mask === undefined ? native : merge(native ?? zero, mask, config[place] ?? zero);
}

const zero: CpuidRegisters = { eax: 0, ebx: 0, ecx: 0, edx: 0 };

function merge(
  native: CpuidRegisters,
  mask: CpuidRegisters,
  chosen: CpuidRegisters,
): CpuidRegisters {
  return {
    eax: choose(native.eax, mask.eax, chosen.eax),
    ebx: choose(native.ebx, mask.ebx, chosen.ebx),
    ecx: choose(native.ecx, mask.ecx, chosen.ecx),
    edx: choose(native.edx, mask.edx, chosen.edx),
  };
}

function choose(native: number, mask: number, chosen: number): number {
  return ((native & ~mask) | (chosen & mask)) >>> 0;
}
