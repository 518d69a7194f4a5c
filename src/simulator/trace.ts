/**
 * The trace: every ioctl and every SEAMCALL leaf, in the order they end. A leaf is reported before
 * the ioctl that made it. Events hold references to the live arguments, not copies: a listener that
 * keeps them formats them at once.
 */
import type { SeamcallName } from '../abi/tdx/seamcalls.ts';
import type { Answer, Handle, Request } from './interface.ts';

export type TraceEvent = IoctlEvent | SeamcallEvent | ReleaseEvent;

export interface IoctlEvent {
  readonly kind: 'ioctl';
  readonly handle: Handle;
  readonly request: Request;
  readonly answer: Answer;
}

export interface SeamcallEvent {
  readonly kind: 'seamcall';
  readonly leaf: SeamcallName;
  /** Registers by name, and structs that a register points to. */
  readonly operands: Readonly<Record<string, unknown>>;
  readonly logicalCpu: number;
  readonly status: bigint;
}

/** The last close of a file description. */
export interface ReleaseEvent {
  readonly kind: 'release';
  readonly handle: Handle;
}

export type TraceListener = (event: TraceEvent) => void;

/** The listeners of one simulated host. */
export class Trace {
  readonly #listeners = new Set<TraceListener>();

  /** False while nobody listens: the caller need not build an event. */
  get active(): boolean {
    return this.#listeners.size > 0;
  }

  listen(listener: TraceListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  emit(event: TraceEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}
