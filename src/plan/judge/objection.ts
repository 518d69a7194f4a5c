/** What stands against a TD on a host. */
import type { TdctlError } from '../../errors/index.ts';
import type { HostFacts } from '../../host/facts.ts';
import type { KnownHost } from '../../host/offer.ts';

/** Says what a reason is about, by a stable name for data. */
export type ReasonId =
  | 'tdx'
  | 'vcpus'
  | 'firmware'
  | 'boot'
  | 'measurement'
  | 'attributes'
  | 'xfam'
  | 'addressWidth'
  | 'tsc'
  | 'cpuid'
  | 'module'
  | 'memory'
  | 'keySlot'
  | 'cgroup'
  | 'cgroupMemory';

export interface Reason {
  readonly id: ReasonId;
  /** A clause says what was asked, and what the host has. */
  readonly text: string;
  /** `now` holds for the moment at which the host was read; another time it may take the TD. */
  readonly holds: 'always' | 'now';
}

/** One error that would end a run, and all that it says as reasons for a table of hosts. */
export interface Objection {
  readonly reasons: readonly Reason[];
  /** It is made where it is shown: most hosts of a fleet are only counted. */
  readonly error: () => TdctlError;
}

/** What is known of a host that a TD is judged for. Nothing undefined is held against it. */
export type JudgedHost = Partial<Omit<KnownHost, 'name' | 'unknown'>> & {
  readonly name: string;
  /** They can be known where nobody asked what KVM offers TDs. */
  readonly facts?: HostFacts | undefined;
};

export function factsOf({ facts, offer }: JudgedHost): HostFacts | undefined {
  return offer?.facts ?? facts;
}

export function always(id: ReasonId, text: string): Reason {
  return { id, text, holds: 'always' };
}

export function now(id: ReasonId, text: string): Reason {
  return { id, text, holds: 'now' };
}
