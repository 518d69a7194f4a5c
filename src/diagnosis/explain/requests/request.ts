/** What a request can be refused for: its ordered checks, and an answer for each errno. */
import type { ErrnoName } from '../../../abi/kvm/errno.ts';
import type { TdctlErrorCode } from '../../../errors/index.ts';
import type { Answer } from '../answer.ts';

/** One row of the kernel's checks. They are tested top to bottom; the first that applies decides. */
export interface Check {
  readonly step: number;
  readonly errno: ErrnoName;
  readonly when: string;
  /** What hw_error holds afterwards; absent: it is not written. */
  readonly hwError?: 'zero' | 'module-status';
  /** What stays changed all the same; absent: nothing. */
  readonly leaves?: string;
  /** The VM answers EIO to everything from then on. */
  readonly vmDead?: true;
  /** Stands in the code of Linux 7.3 and cannot be reached there. */
  readonly unreachable?: true;
  /** Kernels that have the row, where it is not Linux 7.3. */
  readonly kernels?: string;
}

export interface RefusalAnswer extends Answer {
  /** What `tdctl run` ends with. */
  readonly code: TdctlErrorCode;
}

export interface RequestFacts {
  /** The kernel's name; for KVM_ENABLE_CAP with the capability: `KVM_ENABLE_CAP(KVM_CAP_X)`. */
  readonly request: string;
  /** Kernel ABIs, where they have facts of their own; absent: Linux 7.3, and whichever has none. */
  readonly kernels?: readonly string[];
  /** What it is asked on; absent: it is no ioctl. */
  readonly on?: 'the VM' | 'a vCPU' | '/dev/kvm' | 'the VFIO container';
  readonly checks: readonly Check[];
  /** An errno without an answer here has one in the answers common to all requests. */
  readonly answers: Partial<Readonly<Record<ErrnoName, RefusalAnswer>>>;
}
