/**
 * What a keeper writes down of its TD for those who only read: `status.json`, whole at each change. The journal is
 * the truth where the two differ, by at most one record.
 */

import type { TdStateId } from '../../machines/td-lifecycle/index.ts';
import type { ErrorInWords } from '../diagnosis/refusals.ts';

export interface StatusRecord {
  readonly version: 1;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** 1 for the first life of this name in the state directory, one more for each that `start` begins again. */
  readonly life: number;
  /** State of the chart, dotted; `queued` while the TD waits for a key slot and has no chart yet. */
  readonly state: TdStateId | 'queued';
  readonly since: Moment;
  readonly createdAt: string;
  readonly host: { readonly name: string; readonly simulated: boolean };
  /** The id of the rules of its kernel. */
  readonly kernel: string;
  readonly vcpus: number;
  readonly memoryBytes: number;
  readonly holdsKeySlot: boolean;
  readonly mrtd: string | null;
  readonly error: ErrorInWords | null;
  readonly leftovers: readonly ErrorInWords[];
  /** Why the guest has ended by itself, in words. */
  readonly guestEnded: string | null;
  /** What a teardown waits for, in words. */
  readonly waitingFor: string | null;
  /** The last record of the journal that this knows of. */
  readonly seq: number;
}

/** The clock of the wall may be set back, so how long ago something was is told by the time since boot. */
export interface Moment {
  /** ISO 8601. */
  readonly at: string;
  /** Milliseconds since this boot, suspended time included (CLOCK_BOOTTIME). */
  readonly uptimeMs: number;
}
