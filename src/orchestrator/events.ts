/**
 * A run tells the outside what happens with one closed set of events. The text view, the JSON lines and
 * the log are all made from it. The JSON form is a contract (docs/events.md).
 */
import type { StepError } from '../../machines/step-error.ts';
import type { TdOutcome, TdStateId } from '../../machines/td-lifecycle/index.ts';
import type { VmmTdStateId } from '../../machines/vmm-td/index.ts';

/** The two charts of a TD have the same outer states and ends. */
export type AnyTdStateId = TdStateId | VmmTdStateId;

/** Every event carries this header. */
export interface EventHeader {
  readonly td: string;
  readonly machine: 'td-lifecycle' | 'vmm-td';
  readonly machineVersion: number;
  /** State of the chart, dotted: `provisioning.creatingVcpus`. */
  readonly state: AnyTdStateId;
  /** Milliseconds since the run began. */
  readonly elapsedMs: number;
}

export interface StateEntered {
  readonly event: 'state.entered';
  /** Transitions taken since the state before, in order (machines/transition-id.ts). */
  readonly transitions: readonly string[];
}

/** `skipped`: there is nothing to do on this host. */
export type StepResult = 'done' | 'skipped' | 'failed' | 'interrupted';

export interface StepEnded {
  readonly event: 'step.ended';
  readonly step: string;
  readonly result: StepResult;
  readonly durationMs: number;
  readonly requests: readonly RequestCount[];
}

/**
 * @typeParam Failure is the form in which an error of a step is told: as data here, in words where it
 * is printed.
 */
export type TdEventBody<Failure = StepError> =
  | StateEntered
  | {
      readonly event: 'step.progress';
      readonly step: string;
      readonly done: number;
      readonly total: number;
      readonly unit: string;
    }
  | StepEnded
  | {
      readonly event: 'request.answered';
      readonly request: string;
      readonly answer: string;
      readonly durationMs: number;
    }
  | { readonly event: 'resource.released'; readonly what: string; readonly error?: Failure }
  | { readonly event: 'td.finalized'; readonly mrtd: string | null }
  | { readonly event: 'td.warning'; readonly message: string }
  | {
      readonly event: 'guest.ended';
      /** The `kind` of src/host/guest.ts, whose types need Node, and the page of `tdctl watch` reads these. */
      readonly reason: string;
      /** The place among the vCPUs of the one that ended it; null where a VMM does not tell. */
      readonly vcpu: number | null;
      readonly message: string;
    }
  /** The guest's own words on what it cannot go on from, safe to print, and its error code (`0x…`). */
  | { readonly event: 'guest.panicked'; readonly text: string; readonly errorCode: string }
  | {
      readonly event: 'td.ended';
      readonly outcome: TdOutcome;
      readonly error: Failure | null;
      readonly leftovers: readonly Failure[];
    };

/**
 * The count is of one kind of request and answer within a step: `KVM_CREATE_VCPU` made 8 times, all ok.
 */
export interface RequestCount {
  readonly request: string;
  /** `ok`, or the errno's name. */
  readonly answer: string;
  readonly count: number;
}

export type TdRunEvent<Failure = StepError> = EventHeader & TdEventBody<Failure>;
