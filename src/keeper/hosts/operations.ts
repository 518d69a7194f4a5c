/** What a shared host tells a rehearsal that has started it for itself, and lets it do: names and forms of both sides. */
import type { ProgramFacts } from '../../host/shared/index.ts';
import type { Snapshot } from '../../simulator/index.ts';

/** The misc cgroup of a program that joins a shared host; `/` where it is not set. */
export const sharedCgroupVariable = 'TDCTL_SHARED_CGROUP';

/** Set for a host that ends with whoever asks it for `attend`, and where nobody does. */
export const attendedVariable = 'TDCTL_HOST_ATTENDED';

/** The answer to `snapshot`. */
export interface HostSeen {
  readonly snapshot: Snapshot;
  readonly programs: readonly Pick<ProgramFacts, 'process' | 'pid' | 'calls'>[];
  /** How many key slots were in use over time: each change since `attend` was asked for. */
  readonly slots: readonly SlotsUsed[];
  /** Those that no call has come to yet, as `tdctl host fault` takes them. */
  readonly faultsToCome: readonly string[];
}

export interface SlotsUsed {
  readonly nowNs: number;
  readonly used: number;
}

export interface Disturbance {
  /** TDs of others take slots until only so many are free. */
  readonly slotsLeft?: number | undefined;
  readonly cgroup?: { readonly path: string; readonly max: number } | undefined;
}
