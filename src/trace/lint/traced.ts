/** The linter takes traces in this form, whoever wrote them. */
import type { ErrnoName } from '../../abi/kvm/errno.ts';
import type {
  CallRecord,
  HeaderRecord,
  SeamcallRecord,
  StateRecord,
  TraceRecord,
} from '../record.ts';

export interface TracedTrace {
  readonly format: 'tdctl' | 'strace';
  /** Header, which only a trace of tdctl has. It begins the trace. */
  readonly header: HeaderRecord | undefined;
  /** The steps of each block, which is read as they are taken, and once: all of a block's would outlive one another. */
  readonly steps: AsyncIterable<Iterable<TracedStep>>;
  /** What the trace is like as a whole. It is known when the steps are at their end. */
  readonly end: () => TraceEnd;
}

export interface TraceEnd {
  /** The line of the last step. */
  readonly lastLine: number;
  /** Lines that should have been readable but are not, the first of them. `line` counts from 1. */
  readonly unreadable: readonly UnreadableLine[];
  /** Number of lines that are about something else. */
  readonly otherLines: number;
  /** True when the trace would show a descriptor being closed. */
  readonly tellsCloses: boolean;
  /** True when the program ended before the trace did. */
  readonly isWhole: boolean;
}

export interface TracedStep {
  /** Line in the trace, counted from 1. */
  readonly line: number;
  readonly record: Exclude<TraceRecord, HeaderRecord | SeamcallRecord | StateRecord>;
  /** The reason why the call is taken for this request, where the trace does not say which it is. */
  readonly inferred?: string;
  /** True where the trace does not show what the call's pointer pointed to. */
  readonly argsUnknown?: true;
}

/** More findings of the same kind would help nobody. */
const mostUnreadable = 20;

/** Keeps the first lines that cannot be read. */
export class UnreadableLines {
  readonly first: UnreadableLine[] = [];

  add(line: UnreadableLine): void {
    if (this.first.length < mostUnreadable) this.first.push(line);
  }
}

export interface UnreadableLine {
  readonly line: number;
  readonly problem: string;
}

export type TracedCall = TracedStep & { readonly record: CallRecord };

export function isCall(step: TracedStep): step is TracedCall {
  return step.record.kind === 'call';
}

export function succeeded({ record }: TracedCall): boolean {
  return 'value' in record.outcome;
}

export function errnoOf({ record }: TracedCall): ErrnoName | undefined {
  return 'errno' in record.outcome ? record.outcome.errno : undefined;
}

export function madeBy({ record }: TracedStep): string | undefined {
  if (record.kind !== 'call' && record.kind !== 'open') return undefined;
  return 'value' in record.outcome ? record.outcome.made : undefined;
}
