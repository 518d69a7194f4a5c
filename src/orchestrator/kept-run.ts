/** A run of a TD as whoever keeps it needs it, whoever makes the TD: the outer states and the ends are the same. */
import type { TdEvent, TdOutput, TdStateId } from '../../machines/td-lifecycle/index.ts';
import type { AnyTdStateId } from './events.ts';

/** A caller may wait for these states of the chart. */
export type TdState = TopLevel<TdStateId>;
type TopLevel<State extends string> = State extends `${infer Top}.${string}` ? Top : State;

/** What is asked of a TD that is kept. */
export type KeptRequest = Extract<
  TdEvent,
  { readonly type: 'td.start' | 'td.pause' | 'td.resume' | 'td.stop' }
>;

export interface KeptRun {
  /** Resolves with true when the TD is runnable, or with false when it has ended without becoming so. */
  readonly runnable: Promise<boolean>;
  /** Resolves once everything is over, and rejects only for a defect of tdctl. */
  readonly ended: Promise<TdOutput>;
  /** Takes everything down. It may be called at any time and any number of times. */
  stop(): void;
  /** Sends a request. It returns false for one that the state does not take, which changes nothing. */
  send(event: KeptRequest): boolean;
  isIn(state: TdState): boolean;
  /** Resolves with true when the TD is in one of these states, or with false when it has ended in another. */
  reaches(...states: readonly TdState[]): Promise<boolean>;
  /** State of the chart, dotted. */
  readonly state: AnyTdStateId;
  readonly context: Standing;
  /** The snapshot of the chart as plain data. */
  readonly persisted: unknown;
  /** Input for the guest's COM1. Returns how many bytes were taken; none where no guest runs. */
  input(bytes: Uint8Array): number;
  /** What the teardown is waiting for at this moment, in words. */
  readonly waitingFor: string | undefined;
  /** The exits of the guest that came to tdctl, by kind. */
  readonly exits: Readonly<Record<string, number>>;
  /** Presses the power button. Undefined where a guest has none. */
  pressPower?(): void;
}

/** What the charts know of a TD alike. */
export interface Standing {
  readonly holdsKeySlot: boolean;
  readonly mrtd: string | null;
}
