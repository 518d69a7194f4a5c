/** A guest whose vCPUs run on threads of the addon. */
import { setTimeout as delay } from 'node:timers/promises';
import type {
  Addon,
  GuestOptions,
  Guest as GuestThreads,
  GuestEnd as NativeEnd,
} from '../../../native/index.ts';
import { exitReasons } from '../../abi/kvm/exits.ts';
import type { Guest, GuestCounts, GuestEnd, GuestIo, GuestState } from '../guest.ts';
import { GuestEnding } from '../guest-ending.ts';
import { KvmError } from '../kvm-error.ts';
import { answered } from './answers.ts';

export interface NativeGuestOptions extends Omit<GuestOptions, 'handlers' | 'consoleBytes'> {
  readonly io: GuestIo;
  /** What else of the VM makes up the guest, where user space carries it. */
  readonly state: StateParts;
}

/** Parts of a guest's state, by the names under which they are handed over, in the order of setting. */
export type StateParts = Readonly<Record<string, StatePart>>;

export interface StatePart {
  get(): Promise<unknown>;
  /** Is given what {@link get} gave on another VM. */
  set(value: never): Promise<void>;
}

/** Where isa-debug-exit is by custom; QEMU's kernels for tests ask for this place. */
const DEBUG_EXIT_PORT = 0xf4;

/** A vCPU that is refused comes out of KVM_RUN before anything else could keep its thread. */
const refusalMs = 1;

export class NativeGuest implements Guest {
  readonly #state: StateParts;
  readonly #ending = new GuestEnding();
  #threads: GuestThreads | undefined;

  private constructor(state: StateParts) {
    this.#state = state;
  }

  static async make(addon: Addon, options: NativeGuestOptions): Promise<NativeGuest> {
    const { io, state, ...parts } = options;
    const guest = new NativeGuest(state);
    const made = addon.Guest.make({
      debugExitPort: DEBUG_EXIT_PORT,
      ...parts,
      handlers: {
        console: (bytes, lostBytes) => io.console(bytes, lostBytes),
        debugConsole: (bytes, lostBytes) => io.debugConsole(bytes, lostBytes),
        exit: (vcpu, exit) => io.exit(vcpu, exit),
        ended: (end) => guest.#ending.tell(endOf(end)),
        failed: (error) => io.failed(error),
      },
    });
    guest.#threads = await answered(made);
    return guest;
  }

  get ended(): Promise<GuestEnd> {
    return this.#ending.ended;
  }

  get end(): GuestEnd | undefined {
    return this.#ending.end;
  }

  async run(): Promise<void> {
    if (this.end !== undefined) return;
    this.#made.run();
    const end = await Promise.race([this.ended, delay(refusalMs, undefined)]);
    if (end?.kind === 'refused') throw end.error;
  }

  async pause(): Promise<void> {
    if (this.end === undefined) await this.#made.pause();
  }

  input(bytes: Uint8Array): number {
    return this.#made.input(bytes);
  }

  counts(): GuestCounts {
    return this.#made.counts();
  }

  async getState(): Promise<GuestState> {
    const parts = Object.entries(this.#state);
    return Object.fromEntries(
      await Promise.all(parts.map(async ([name, part]) => [name, await part.get()])),
    );
  }

  async setState(state: GuestState): Promise<void> {
    for (const [name, part] of Object.entries(this.#state)) await part.set(state[name] as never);
  }

  async close(): Promise<void> {
    this.#made.stop();
  }

  get #made(): GuestThreads {
    if (this.#threads === undefined) throw new Error('the guest is not made yet');
    return this.#threads;
  }
}

const exitNames = new Map(
  Object.entries(exitReasons).map(([name, number]) => [number as number, name]),
) as ReadonlyMap<number, keyof typeof exitReasons>;

function endOf(end: NativeEnd): GuestEnd {
  const { vcpu } = end;
  if (end.kind === 'run-failed') {
    return { vcpu, kind: 'refused', error: new KvmError({ request: 'KVM_RUN', errno: end.errno }) };
  }
  if (end.kind !== 'unknown-exit') return end;
  const { kind, exitReason } = end;
  return { vcpu, kind, exit: exitNames.get(exitReason) ?? exitReason };
}
