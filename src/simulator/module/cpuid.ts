/** CPUID of a TD as TDH.MNG.RD finds it: every leaf under one number. */
import { allZero, type CpuidRegisters } from '../../abi/cpuid/registers.ts';
import { type TdLeaf, tdLeaves } from '../../abi/tdx/cpuid/td-cpuid.ts';
import type { TdParams } from '../../abi/tdx/td-params.ts';
import type { ModuleState } from './module-state.ts';

/** The leaves of one TD, by key; those of the release that are 0 for all are not among them. */
export type TdCpuid = ReadonlyMap<number, CpuidRegisters>;

/** @returns undefined where TD_PARAMS have a topology that the module does not recognise. */
export function cpuidOfTd(
  { release, profile }: ModuleState,
  params: TdParams,
): TdCpuid | undefined {
  const cpu = profile.platform.cpuid;
  const leaves = tdLeaves({ virtualisation: release.cpuid, cpu, params });
  return leaves && new Map(leaves.map((row) => [keyOf(row), row]));
}

/** The subleaf of a leaf that has none, in the field id of CPUID_VALUES. */
const noSubleaf = 0xff;

const keyOf = ({ leaf, subleaf }: Pick<TdLeaf, 'leaf' | 'subleaf'>) =>
  packCpuidKey(leaf >= 0x8000_0000, leaf & 0x7f, subleaf);

/** As the field id of CPUID_VALUES packs it: bit 31 of the leaf, 7 bits of leaf, 7 bits of subleaf. */
export function packCpuidKey(extended: boolean, leaf: number, subleaf: number | undefined): number {
  return (extended ? 1 << 15 : 0) | (leaf << 8) | (subleaf ?? noSubleaf);
}

/** @returns undefined for a leaf that the host cannot read. */
export function readCpuid(
  { release }: ModuleState,
  cpuid: TdCpuid,
  key: number,
): CpuidRegisters | undefined {
  // A leaf without subleaves is read with any.
  const row = cpuid.get(key) ?? cpuid.get(key | noSubleaf);
  if (row !== undefined) return row;
  const leaf = ((key >>> 8) & 0x7f) + ((key & (1 << 15)) === 0 ? 0 : 0x8000_0000);
  return release.cpuid.zero.has(leaf) ? allZero : undefined;
}
