/** What the TDX module keeps: key ownership, page metadata, TDs and vCPUs. */
import type { ModuleRelease } from '../../abi/tdx/module-releases.ts';
import type { MrtdStream } from '../../abi/tdx/mrtd.ts';
import type { TdParams } from '../../abi/tdx/td-params.ts';
import type { HostProfile } from '../platform.ts';
import type { NativeCpuid } from './cpuid.ts';
import type { KeyOwnershipTable } from './key-ownership-table.ts';
import type { PageMetadataTable } from './page-metadata-table.ts';
import type { SecureEpt } from './secure-ept.ts';

/** Host and guest physical addresses have at most 52 bits, so a number holds them exactly. */
export type Hpa = number;
export type Gpa = number;

export const pageSize = 4096;

/** PAMT page types. A page that the table does not list is PT_NDA: the host's own. */
export type PageType = 'TDR' | 'TDCX' | 'TDVPR' | 'EPT' | 'REG';

export interface PageMetadata {
  readonly type: PageType;
  readonly owner: Td;
  /** The vCPU of a TDVPR page. */
  readonly vcpu: TdVcpu | undefined;
}

/** TDR.LIFECYCLE_STATE, without the prefix TD_. */
export type LifecycleState = 'HKID_ASSIGNED' | 'KEYS_CONFIGURED' | 'BLOCKED' | 'TEARDOWN';

/** TDCS.OP_STATE, as far as a host without migration gets. */
export type OpState = 'UNINITIALIZED' | 'INITIALIZED' | 'RUNNABLE';

/** TDR and TDCS of one TD. */
export interface Td {
  readonly tdr: Hpa;
  readonly hkid: number;
  lifecycle: LifecycleState;
  /** TDR.FATAL: sticky; only teardown works afterwards. */
  fatal: boolean;
  /** TDR.CHLDCNT: 4 KiB pages of the TD besides the TDR. */
  childPages: number;
  /** One bit for each package that has run TDH.MNG.KEY.CONFIG. */
  configuredPackages: number;
  tdcxPages: number;
  opState: OpState;
  /** What TDH.MNG.INIT took; undefined before. */
  initialized: InitializedTd | undefined;
}

export interface InitializedTd {
  readonly params: TdParams;
  readonly secureEpt: SecureEpt;
  readonly mrtd: MrtdStream;
  /** MRTD as TDH.MR.FINALIZE closed it. */
  finalMrtd: Uint8Array | undefined;
  /** Content of the pages added so far, for TDH.MR.EXTEND; dropped when the measurement is closed. */
  readonly content: Map<Gpa, Uint8Array>;
  /** TDCS.NUM_VCPUS: vCPUs that TDH.VP.INIT has counted. */
  vcpus: number;
  associatedVcpus: number;
  readonly x2apicIds: Set<number>;
  /** Advanced by TDH.MEM.TRACK. */
  epoch: number;
}

/** TDVPS of one vCPU. */
export interface TdVcpu {
  readonly tdvpr: Hpa;
  readonly td: Td;
  state: 'UNINITIALIZED' | 'READY';
  /** TDVPS pages so far, the TDVPR included. */
  pages: number;
  /** TDH.VP.INIT's place in order, from 0. */
  index: number;
  /** The logical CPU that holds its state; undefined when it is flushed. */
  logicalCpu: number | undefined;
}

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
