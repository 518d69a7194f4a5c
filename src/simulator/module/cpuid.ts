/** CPUID of a TD as TDH.MNG.RD finds it: every leaf under one number. */

import type { RawCpuid } from '../../abi/cpuid/raw.ts';
import { allZero, type CpuidRegisters, cpuidRegisters } from '../../abi/cpuid/registers.ts';
import { type CpuidParams, type TdLeaf, tdLeaves } from '../../abi/tdx/cpuid/td-cpuid.ts';
import type { CpuidVirtualisation } from '../../abi/tdx/cpuid/virtual-leaves.ts';
import type { ModuleRelease } from '../../abi/tdx/module-releases.ts';
import type { HostProfile } from '../platform.ts';

/** What TDs have that are alike. */
export interface TdCpuid {
  /** The leaves by key; those of the release that are 0 for all are not among them. */
  readonly leaves: ReadonlyMap<number, CpuidRegisters>;
  /** The fields of CPUID_VALUES that were read so far, by id. */
  readonly values: Map<bigint, bigint>;
}

interface Calculated {
  readonly cpu: RawCpuid;
  readonly params: CpuidParams;
  readonly cpuid: TdCpuid | undefined;
}

/** The last one of each release, because TDs made one after the other are mostly alike. */
const calculated = new WeakMap<CpuidVirtualisation, Calculated>();

/** @returns undefined where TD_PARAMS have a topology that the module does not recognise. */
export function cpuidOfTd(
  { release, profile }: { readonly release: ModuleRelease; readonly profile: HostProfile },
  params: CpuidParams,
): TdCpuid | undefined {
  const { cpuid: cpu } = profile.platform;
  const last = calculated.get(release.cpuid);
  if (last !== undefined && last.cpu === cpu && areAlike(last.params, params)) return last.cpuid;
  const rows = tdLeaves({ virtualisation: release.cpuid, cpu, params });
  const leaves = rows && new Map(rows.map((row) => [keyOf(row), row]));
  const cpuid = leaves && { leaves, values: new Map() };
  calculated.set(release.cpuid, { cpu, params, cpuid });
  return cpuid;
}

function areAlike(one: CpuidParams, other: CpuidParams): boolean {
  return (
    one.attributes === other.attributes &&
    one.xfam === other.xfam &&
    one.configFlags === other.configFlags &&
    one.tscFrequency === other.tscFrequency &&
    isSameChoice(one.cpuidConfig, other.cpuidConfig)
  );
}

function isSameChoice(one: CpuidParams['cpuidConfig'], other: CpuidParams['cpuidConfig']): boolean {
  if (one === other) return true;
  return (
    one.length === other.length &&
    one.every((row, i) =>
      cpuidRegisters.every((register) => row[register] === other[i]?.[register]),
    )
  );
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
  { release }: { readonly release: ModuleRelease },
  { leaves }: TdCpuid,
  key: number,
): CpuidRegisters | undefined {
  // A leaf without subleaves is read with any.
  const row = leaves.get(key) ?? leaves.get(key | noSubleaf);
  if (row !== undefined) return row;
  const leaf = ((key >>> 8) & 0x7f) + ((key & (1 << 15)) === 0 ? 0 : 0x8000_0000);
  return release.cpuid.zero.has(leaf) ? allZero : undefined;
}
