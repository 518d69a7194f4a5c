import type { ModuleRelease } from '../../abi/tdx/module-releases.ts';
import type { CpuidRegisters } from '../../abi/tdx/td-params.ts';
import type { HostProfile } from '../platform.ts';
import type { KeyOwnershipTable } from './key-ownership-table.ts';
import type { PageMetadataTable } from './page-metadata-table.ts';

/** The whole module: what every leaf works on. */
export interface ModuleState {
  readonly profile: HostProfile;
  readonly release: ModuleRelease;
  readonly limits: ModuleLimits;
  /** CPUID of the machine's CPUs. */
  readonly nativeCpuid: NativeCpuid;
  /** Index into the release's configurable leaves, by CPUID key. */
  readonly configurablePlaces: ReadonlyMap<number, number>;
  readonly pamt: PageMetadataTable;
  readonly keys: KeyOwnershipTable;
  readonly out: OutputRegisters;
}

/** The release's masks after SYS.INIT has taken away what the platform does not have. */
export interface ModuleLimits {
  /** MAX_VCPUS_PER_TD; undefined where the release has no such constant. */
  readonly maxVcpusPerTd: number | undefined;
  readonly attributesFixed0: bigint;
  readonly xfamFixed0: bigint;
  readonly configFlagsFixed0: bigint;
  readonly memoryBytes: number;
  readonly packages: number;
  readonly cpusPerPackage: number;
}

/** Registers that a leaf leaves its outputs in, besides RAX. Those of the last leaf only. */
export interface OutputRegisters {
  rcx: bigint;
  rdx: bigint;
  r8: bigint;
  rsi: bigint;
}

export function packageOf(limits: ModuleLimits, logicalCpu: number): number {
  return Math.floor(logicalCpu / limits.cpusPerPackage);
}

/** CPUID of the CPUs. */
export type NativeCpuid = ReadonlyMap<number, CpuidRegisters>;
