/** What the TDX module keeps: key ownership, page metadata, TDs and vCPUs. */
import type { MrtdStream } from '../../abi/tdx/mrtd.ts';
import type { TdParams } from '../../abi/tdx/td-params.ts';
import type { Gpa, Hpa } from './addresses.ts';
import type { SecureEpt } from './secure-ept.ts';

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
