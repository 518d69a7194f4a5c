import type { ModuleRelease } from '../../abi/tdx/module-releases.ts';
import type { HostProfile } from '../platform.ts';
import type { KeyOwnershipTable } from './key-ownership-table.ts';
import type { PageMetadataTable } from './page-metadata-table.ts';

/** Every leaf works on the state of the whole module. */
export interface ModuleState {
  readonly profile: HostProfile;
  readonly release: ModuleRelease;
  readonly limits: ModuleLimits;
  readonly pamt: PageMetadataTable;
  readonly keys: KeyOwnershipTable;
  readonly out: OutputRegisters;
}

/** The limits are the release's masks after SYS.INIT has taken away what the platform does not have. */
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

/** A leaf leaves its outputs besides RAX in these registers. They hold those of the last leaf only. */
export interface OutputRegisters {
  rcx: bigint;
  rdx: bigint;
  r8: bigint;
  rsi: bigint;
}

export function packageOf(limits: ModuleLimits, logicalCpu: number): number {
  return Math.floor(logicalCpu / limits.cpusPerPackage);
}
