/** One kept TD as it is found, by anybody: what `list` and `show` print, and what its keeper answers. */
import type { ErrorInWords } from '../diagnosis/refusals.ts';
import type { KeptState } from './state.ts';

export interface KeptTd {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: KeptState;
  /** The dotted state of the chart, as last written down. */
  readonly chartState: string | null;
  /** ISO 8601, and how long that is, which does not follow a clock that is set. */
  readonly since: string | null;
  readonly sinceMs: number | null;
  readonly createdAt: string | null;
  readonly life: number;
  readonly host: { readonly name: string; readonly simulated: boolean } | null;
  readonly kernel: { readonly id: string } | null;
  readonly vcpus: number | null;
  readonly memoryBytes: number | null;
  readonly holdsKeySlot: boolean;
  readonly mrtd: string | null;
  readonly error: ErrorInWords | null;
  /** What was concluded of a keeper that is gone or silent, and what to do: sentences for a person. */
  readonly notes: readonly string[];
  readonly keeper: KeeperSeen | null;
  /** Its place among those that wait for a key slot, the first is 1. */
  readonly queue: {
    readonly position: number;
    readonly of: number;
    readonly forecastMs: number | null;
  } | null;
  /** How long its teardown will still take: estimated, and null where nothing is known of it. */
  readonly leftMs: number | null;
}

export interface KeeperSeen {
  readonly pid: number;
  readonly tdctl: string;
  readonly api: { readonly oldest: number; readonly newest: number };
  readonly startedAt: string;
  readonly unit: string | null;
  /** Whether the process is there. */
  readonly lives: boolean;
}
