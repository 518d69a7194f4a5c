/**
 * What the trace tells of each call: for whom it was, what was copied, and which steps it passed. Nothing is noted
 * while nobody traces.
 */
import type { FaultInjector, FaultPoint } from './faults.ts';
import type { Answer, Caller, Handle, Request, RunRequest } from './interface.ts';
import type { Trace } from './trace.ts';
import type { Copies } from './trace-copies.ts';

/** A call that has begun. */
export interface TracedCall {
  readonly caller: Caller;
  readonly handle: Handle;
  readonly request: Request | RunRequest;
  readonly startedNs: number;
  /** Undefined where nobody traced as it began. */
  readonly copies: Copies | undefined;
}

type Steps = Readonly<{ points: readonly FaultPoint[]; pagesBegun: number }>;

/** KVM_RUN passes none that could fail. */
const noSteps: Steps = { points: [], pagesBegun: 0 };

export class CallTracer {
  readonly #trace: Trace;
  /** What the ioctl under way has passed. */
  #points: FaultPoint[] = [];
  #pagesBegun = 0;

  constructor(trace: Trace) {
    this.#trace = trace;
  }

  /** What is traced from here on is of an ioctl of this process. */
  asks({ mm }: Caller): void {
    if (!this.#trace.active) return;
    this.#points = [];
    this.#pagesBegun = 0;
    this.#trace.asking = mm;
  }

  ioctlEnded(call: TracedCall, answer: Answer): void {
    if (call.copies === undefined) return;
    this.#emit(call, answer, { points: this.#points, pagesBegun: this.#pagesBegun });
  }

  /** A guest may run for long: its KVM_RUN is told also where somebody traces only since it began. */
  runEnded(call: TracedCall, answer: Answer): void {
    if (this.#trace.active) this.#emit(call, answer, noSteps);
  }

  #emit(call: TracedCall, answer: Answer, steps: Steps): void {
    const { caller, handle, request, startedNs, copies = {} } = call;
    this.#trace.asking = caller.mm;
    this.#trace.emit({ kind: 'ioctl', handle, request, answer, copies, ...steps }, startedNs);
  }

  /** The injector, with a note of what it was asked for. */
  noting(injector: FaultInjector): FaultInjector {
    return {
      errnoAt: (point) => {
        if (this.#trace.active) this.#points.push(point);
        return injector.errnoAt?.(point);
      },
      ...(injector.statusOf === undefined
        ? {}
        : {
            statusOf: (leaf, logicalCpu) => injector.statusOf?.(leaf, logicalCpu),
            counts: (leaf) => injector.counts?.(leaf) !== false,
          }),
      signalBeforePage: (page) => {
        this.#pagesBegun = page + 1;
        return injector.signalBeforePage?.(page) === true;
      },
    };
  }
}
