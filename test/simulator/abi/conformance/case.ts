/** How a check of the kernel is shown: its condition alone, in a call that would be taken otherwise. */
import type { CheckedRequest, CheckName } from '../../../../src/abi/kvm/checks/index.ts';
import type { GuestScript, Handle, KernelAbi, Request } from '../../../../src/simulator/index.ts';
import type { Driver, DriverOptions, Result } from '../../drive.ts';

/** Ends with the call that the check refuses. */
export type Call = (driver: Driver) => Result | Promise<Result>;

export interface Case {
  readonly title?: string;
  readonly provoke: Call;
  readonly profile?: NonNullable<DriverOptions['profile']>;
  /** What the guest does once it runs. */
  readonly guest?: GuestScript['run'];
  /** Kernels for which the condition is brought about in this way; all, unless said. */
  readonly of?: (abi: KernelAbi) => boolean;
}

/** One way to bring the condition about, or several. */
export type Cases = Call | Case | readonly Case[];

export interface Conformance {
  /** A file that the request can be asked on. */
  readonly handle: (driver: Driver) => Handle;
  /** The request as it is taken; absent where it cannot be asked as one struct (KVM_RUN). */
  readonly request?: (driver: Driver, handle: Handle) => Request;
  /** The checks of its own; those that many requests have are in shared.ts. */
  readonly cases: Readonly<Partial<Record<CheckName, Cases>>>;
}

export type ConformanceTable = Readonly<Partial<Record<CheckedRequest, Conformance>>>;

export function listed(cases: Cases): readonly Case[] {
  if (typeof cases === 'function') return [{ provoke: cases }];
  return 'provoke' in cases ? [cases] : cases;
}
