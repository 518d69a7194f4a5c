/**
 * What a keeper writes down for those who only read: `status.json`, whole at each change. The journal is the truth
 * where the two differ, by at most one record.
 */
import type { ErrorInWords } from '../diagnosis/refusals.ts';
import type { AnyTdStateId } from '../orchestrator/index.ts';
import type { KeeperIdentity, VmmIdentity } from './identity.ts';
import type { Moment } from './moment.ts';

/** All that `tdctl list` reads of a TD, so it is one file. */
export interface StatusFile {
  readonly version: 1;
  readonly keeper: KeeperIdentity;
  /**
   * 1 for the first life of this name in the state directory, one more for each that `start` begins again; 0 until
   * the first has begun.
   */
  readonly life: number;
  /** Null until the keeper of this life has something to say of its TD. */
  readonly td: StatusRecord | null;
}

export interface StatusRecord {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** State of the chart, dotted; `queued` while the TD waits for a key slot and has no chart yet. */
  readonly state: AnyTdStateId | 'queued';
  readonly since: Moment;
  readonly createdAt: string;
  readonly host: { readonly name: string; readonly simulated: boolean };
  /** Its kernel, by the id of its rules. It and the next two are null until the TD is planned. */
  readonly kernel: { readonly id: string } | null;
  readonly vcpus: number | null;
  readonly memoryBytes: number | null;
  readonly holdsKeySlot: boolean;
  readonly mrtd: string | null;
  readonly error: ErrorInWords | null;
  readonly leftovers: readonly ErrorInWords[];
  /** Why the guest has ended by itself, in words. */
  readonly guestEnded: string | null;
  /** What a teardown waits for, in words. */
  readonly waitingFor: string | null;
  /** The process that has the TD, where that is not the keeper. */
  readonly vmm?: VmmIdentity | undefined;
  /** The last record of the journal that this knows of. */
  readonly seq: number;
}
