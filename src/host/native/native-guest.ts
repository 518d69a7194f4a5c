/** A guest whose vCPUs run on threads of the addon. */
import type {
  Addon,
  GuestDevices,
  GuestOptions,
  Guest as GuestThreads,
  GuestEnd as NativeEnd,
} from '../../../native/index.ts';
import { exitReasons } from '../../abi/kvm/exits.ts';
import type { Guest, GuestCounts, GuestEnd, GuestIo, GuestState, GuestTimes } from '../guest.ts';
import { GuestEnding } from '../guest-ending.ts';
import { KvmError } from '../kvm-error.ts';
import { answered, answeredNow } from './answers.ts';

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

/** So long the whole process may be held up by threads that need but some microseconds, where they have a CPU. */
const restMs = 20;
const entryMs = 1;

/** Where isa-debug-exit is by custom; QEMU's kernels for tests ask for this place. */
const DEBUG_EXIT_PORT = 0xf4;

export class NativeGuest implements Guest {
  readonly #state: StateParts;
  readonly #packs: boolean;
  readonly #ending = new GuestEnding();
  #threads: GuestThreads | undefined;
  #isClosed = false;

  private constructor({ state, stateShape }: Pick<NativeGuestOptions, 'state' | 'stateShape'>) {
    this.#state = state;
    this.#packs = stateShape !== undefined;
  }

  static async make(addon: Addon, options: NativeGuestOptions): Promise<NativeGuest> {
    const { io, state, ...parts } = options;
    const guest = new NativeGuest(options);
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

  async run(letIn?: () => void): Promise<void> {
    if (this.end !== undefined) return;
    const guest = this.#made;
    guest.run();
    if (letIn !== undefined) {
      guest.awaitCalled(entryMs);
      letIn();
    }
    try {
      await guest.entered();
    } catch (error) {
      await this.#notEntered(error);
    }
  }

  /**
   * An end is told by `ended` too, and only one that is a refusal is thrown. ECANCELED and EBADF: somebody has
   * paused or closed the guest meanwhile, and it is where they wanted it.
   */
  async #notEntered(error: unknown): Promise<void> {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ECANCELED' || code === 'EBADF') return;
    const end = await this.ended;
    if (end.kind === 'refused') throw end.error;
  }

  async pause(atRest?: (packed: Uint8Array) => void): Promise<void> {
    if (this.end !== undefined || this.#isClosed) return;
    try {
      if (atRest !== undefined && this.#packs) this.#made.preparePacked();
      const paused = this.#made.pause();
      if (atRest !== undefined) this.#rest(atRest);
      await paused;
    } catch (error) {
      // It was closed, or has ended, meanwhile: no vCPU is in either.
      if (this.end === undefined && !this.#isClosed) throw error;
    }
  }

  /** Where a vCPU waits for an answer of this thread, it cannot come to rest at once. */
  #rest(atRest: (packed: Uint8Array) => void): void {
    const guest = this.#made;
    if (!this.#packs || !guest.awaitParked(restMs)) return;
    let packed: Uint8Array;
    try {
      packed = guest.getPacked();
    } catch {
      // Whoever asks for the state in its parts is told why.
      return;
    }
    // What it has printed is told before anybody can have what it prints next.
    guest.tellNow();
    atRest(packed);
  }

  get takePacked(): Guest['takePacked'] {
    if (!this.#packs) return undefined;
    return (packed) => answeredNow(() => this.#made.setPacked(packed));
  }

  input(bytes: Uint8Array): number {
    return this.#made.input(bytes);
  }

  counts(): GuestCounts {
    return this.#made.counts();
  }

  times(): GuestTimes {
    return this.#made.times();
  }

  async getState(): Promise<GuestState> {
    const devices = this.#made.getDevices();
    const parts = Object.entries(this.#state).map(async ([name, part]) => [name, await part.get()]);
    return { ...Object.fromEntries(await Promise.all(parts)), devices };
  }

  async setState({ devices, ...state }: GuestState): Promise<void> {
    for (const [name, part] of Object.entries(this.#state)) await part.set(state[name] as never);
    // Last: it sets the level of the interrupt line of COM1.
    this.#made.setDevices(devices as GuestDevices);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
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
