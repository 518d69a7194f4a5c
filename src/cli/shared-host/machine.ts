/** What a shared host can be asked by those who look after it: the names and forms that both sides share. */
import type { KeySlots } from '../../host/facts.ts';
import type { ProgramFacts } from '../../host/shared/index.ts';

/** The answer to `status`. */
export interface HostStatus {
  readonly keySlots: KeySlots;
  readonly vms: number;
  readonly availableBytes: bigint;
  readonly simulatedNs: number;
  /** By both doors, in the order of their numbers. */
  readonly programs: readonly ProgramOnHost[];
  /** Those that no call has come to yet, as `tdctl host fault` takes them. */
  readonly faultsToCome: readonly string[];
}

/** A program of either door. */
export interface ProgramOnHost extends ProgramFacts {
  /** What `tdctl exec --on` has started; undefined of one that has joined by itself. */
  readonly command: readonly string[] | undefined;
}

export interface FaultsAsked {
  readonly faults: readonly string[];
  /** Whether those that were asked for before are taken back. */
  readonly clear: boolean;
}

export interface StopAsked {
  /** Whether it ends though programs are on it. */
  readonly now: boolean;
}

/** Of a machine as a shared host is told of it, which is `sim:` and this. */
export function profileText(machine: string): string {
  return machine.slice('sim:'.length);
}
