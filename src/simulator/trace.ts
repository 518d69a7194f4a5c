/**
 * The trace: every ioctl, every SEAMCALL leaf and every release, in the order they end. A leaf is
 * reported before the ioctl or the release that made it. Operands of a leaf and values of an ioctl
 * are those of the call; `request` is the live object.
 */
import type { ModuleCheckName } from '../abi/tdx/checks/index.ts';
import type { SeamcallName } from '../abi/tdx/seamcalls.ts';
import { VirtualClock } from './clock.ts';
import type { FaultPoint } from './faults.ts';
import type { Answer, Handle, Request, RunRequest } from './interface.ts';
import type { Copies } from './trace-copies.ts';

export type TraceEvent = IoctlEvent | SeamcallEvent | ReleaseEvent;

interface Timed {
  /** Simulated nanoseconds: when it ended, and how long it took. */
  readonly timeNs: number;
  readonly durationNs: number;
  /** Address space of the process that asked, a leaf through its ioctl; undefined: a release. */
  readonly mm: number | undefined;
}

export interface IoctlEvent extends Timed {
  readonly kind: 'ioctl';
  readonly handle: Handle;
  readonly request: Request | RunRequest;
  readonly answer: Answer;
  /** What the kernel copied in and out, by the name of the struct in `request`. */
  readonly copies: Copies;
  /** Steps that could have failed, in the order they were passed (faults.ts). */
  readonly points: readonly FaultPoint[];
  /** Pages before which KVM_TDX_INIT_MEM_REGION looked for a signal. */
  readonly pagesBegun: number;
}

export interface SeamcallEvent extends Timed {
  readonly kind: 'seamcall';
  readonly leaf: SeamcallName;
  /** Registers by name, and structs that a register points to. */
  readonly operands: Readonly<Record<string, unknown>>;
  readonly logicalCpu: number;
  readonly status: bigint;
  /** The row of the module's book that refused; undefined: a success, or an injected status. */
  readonly check: ModuleCheckName | undefined;
  /** Registers that a successful leaf leaves its outputs in. */
  readonly outputs: Readonly<Record<string, bigint>>;
}

/** The last close of a file description. */
export interface ReleaseEvent extends Timed {
  readonly kind: 'release';
  readonly handle: Handle;
}

export type TraceListener = (event: TraceEvent) => void;

type Untimed<Event> = Event extends Timed ? Omit<Event, keyof Timed> : never;

/** The listeners of one simulated machine, and the clock that its events are stamped with. */
export class Trace {
  readonly clock: VirtualClock;
  /** Whom the call under way is for (`mm` of its events). */
  asking: number | undefined;
  readonly #listeners = new Set<TraceListener>();

  constructor(clock = new VirtualClock()) {
    this.clock = clock;
  }

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

  /** @param startedNs the clock when the call began. */
  emit(event: Untimed<TraceEvent>, startedNs: number): void {
    const timeNs = this.clock.nowNs;
    const durationNs = timeNs - startedNs;
    const timed = { ...event, timeNs, durationNs, mm: this.asking } as TraceEvent;
    for (const listener of this.#listeners) listener(timed);
  }
}
