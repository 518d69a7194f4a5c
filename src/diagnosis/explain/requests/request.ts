/** What a request can be refused for: the checks of a kernel in their order, and what is known besides. */
import type { AskedOn, Check } from '../../../abi/kvm/checks/index.ts';
import type { ErrnoName } from '../../../abi/kvm/errno.ts';
import type { TdctlErrorCode } from '../../../errors/index.ts';
import type { Answer } from '../answer.ts';

/** A check at its place in the order of one kernel. They are made top to bottom; the first that applies decides. */
export interface NumberedCheck
  extends Omit<Check, 'source' | 'remedy'>,
    Partial<Pick<Check, 'source' | 'remedy'>> {
  /** Of its row in the book; undefined for what is no check of KVM. */
  readonly name?: string | undefined;
  /** From 1; 0: before the request itself is looked at. */
  readonly step: number;
  /** Stands in the code of the kernel, and nothing can come to it. */
  readonly unreachable?: true | undefined;
}

export interface RefusalAnswer extends Answer {
  /** What `tdctl run` ends with. */
  readonly code: TdctlErrorCode;
}

/** What is known of a request besides the rows of the book. */
export interface RequestFacts {
  /** The kernel's name; for KVM_ENABLE_CAP with the capability: `KVM_ENABLE_CAP(KVM_CAP_X)`. */
  readonly request: string;
  /** What it is asked on, where the book does not say it. */
  readonly on?: AskedOn | 'the VFIO container';
  /** Rows of a request that the book does not have. */
  readonly checks?: readonly NumberedCheck[];
  /** What an errno means where several checks give it, or another kernel than those of the book. */
  readonly answers: Partial<Readonly<Record<ErrnoName, RefusalAnswer>>>;
}
