/** The TDX module keeps these states: key ownership, page metadata, TDs and vCPUs. */
import type { MrtdStream } from '../../abi/tdx/mrtd.ts';
import type { TdParams } from '../../abi/tdx/td-params.ts';
import type { Gpa, Hpa } from './addresses.ts';
import type { TdCpuid } from './cpuid.ts';
import type { SecureEpt } from './secure-ept.ts';

/** The PAMT has these page types. A page that the table does not list is PT_NDA, the host's own. */
export type PageType = 'TDR' | 'TDCX' | 'TDVPR' | 'EPT' | 'REG';

export interface PageMetadata {
  readonly type: PageType;
  readonly owner: Td;
  /** The vCPU of a TDVPR page. */
  readonly vcpu: TdVcpu | undefined;
}

/** These are the states of TDR.LIFECYCLE_STATE, without the prefix TD_. */
export type LifecycleState = 'HKID_ASSIGNED' | 'KEYS_CONFIGURED' | 'BLOCKED' | 'TEARDOWN';

/** These are the states of TDCS.OP_STATE that a host without migration reaches. */
export type OpState = 'UNINITIALIZED' | 'INITIALIZED' | 'RUNNABLE';

/** The object holds TDR and TDCS of one TD. */
export interface Td {
  readonly tdr: Hpa;
  readonly hkid: number;
  lifecycle: LifecycleState;
  /** TDR.FATAL, which is never cleared. Only teardown works once it is set. */
  fatal: boolean;
  /** TDR.CHLDCNT: 4 KiB pages of the TD besides the TDR. */
  childPages: number;
  /** One bit for each package that has run TDH.MNG.KEY.CONFIG. */
  configuredPackages: number;
  tdcxPages: number;
  opState: OpState;
  /** What TDH.MNG.INIT took, and undefined before. */
  initialized: InitializedTd | undefined;
}

export interface InitializedTd {
  readonly params: TdParams;
  readonly cpuid: TdCpuid;
  readonly secureEpt: SecureEpt;
  readonly mrtd: MrtdStream;
  /** MRTD as TDH.MR.FINALIZE closed it. */
  finalMrtd: Uint8Array | undefined;
  /**
   * Content of the pages added so far, for TDH.MR.EXTEND. It is dropped when the measurement is closed.
   */
  readonly content: Map<Gpa, Uint8Array>;
  /** TDCS.NUM_VCPUS: vCPUs that TDH.VP.INIT has counted. */
  vcpus: number;
  associatedVcpus: number;
  readonly x2apicIds: Set<number>;
  /** TLB epoch, which TDH.MEM.TRACK advances. */
  epoch: number;
}

/** The object holds TDVPS of one vCPU. */
export interface TdVcpu {
  readonly tdvpr: Hpa;
  readonly td: Td;
  state: 'UNINITIALIZED' | 'READY';
  /** Number of TDVPS pages so far, the TDVPR included. */
  pages: number;
  /** The vCPU's place in the order of TDH.VP.INIT, from 0. */
  index: number;
  /** The logical CPU that holds the vCPU's state. It is undefined when that is flushed. */
  logicalCpu: number | undefined;
}
