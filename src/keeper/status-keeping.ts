/** `status.json` while a keeper lives: what it tells at any moment, written whole at each change. */
import type { ErrorInWords } from '../diagnosis/refusals.ts';
import type { TdctlError } from '../errors/index.ts';
import { type HostIdentity, hostIdentity } from '../host/identity.ts';
import type { AnyTdStateId, Standing, TdRunEvent } from '../orchestrator/index.ts';
import type { TdPlan } from '../plan/index.ts';
import { keptStateOf } from './chart-state.ts';
import type { KeeperIdentity } from './identity.ts';
import type { KeptTd } from './kept-td.ts';
import { momentNow, msSince } from './moment.ts';
import { notesOf } from './notes.ts';
import type { StatusRecord } from './status.ts';

export interface StatusKeepingOptions {
  readonly name: string;
  readonly life: number;
  readonly keeper: KeeperIdentity;
  readonly write: (status: StatusRecord) => void;
  /** The last record of the journal. */
  readonly seq: () => number;
  /** Is told once, when the file cannot be written. It goes on: the journal has it. */
  readonly onTrouble: (error: TdctlError) => void;
  /** What the keeper before has told of the same life. */
  readonly before?: StatusRecord | undefined;
}

/** What is not told by an event, and is looked at with each of them. */
interface LookedAt {
  readonly context: Standing;
  readonly waitingFor: string | undefined;
}

type Change = Partial<Omit<StatusRecord, 'seq' | 'since'>>;

export class StatusKeeping {
  readonly #options: StatusKeepingOptions;
  #status: Omit<StatusRecord, 'seq'>;
  #isTroubled = false;
  #isOver = false;
  #isHeld = false;

  /** @param host as it was named, until it has told its own name. */
  constructor(options: StatusKeepingOptions, host: HostIdentity) {
    const { name } = options;
    const since = momentNow();
    this.#options = options;
    this.#status = options.before ?? {
      ...{ name, host, since, createdAt: since.at, labels: {}, state: 'absent' },
      ...{ kernel: null, vcpus: null, memoryBytes: null, holdsKeySlot: false, mrtd: null },
      ...{ error: null, leftovers: [], guestEnded: null, waitingFor: null },
    };
    this.#write();
  }

  get state(): StatusRecord['state'] {
    return this.#status.state;
  }

  /** As it is written. */
  get record(): StatusRecord {
    return { ...this.#status, seq: this.#options.seq() };
  }

  planned({ spec, facts, vcpuIds }: TdPlan): void {
    this.change({
      labels: spec.labels,
      host: hostIdentity(facts),
      kernel: { id: facts.kernel.rules },
      vcpus: vcpuIds.length,
      memoryBytes: Number(spec.memoryBytes),
    });
  }

  event(event: TdRunEvent<ErrorInWords>, { context, waitingFor = null }: Unfinished): void {
    // Why it has ended comes right after, and nobody is to see the one without the other.
    if (event.event === 'state.entered' && lastStates.includes(event.state)) return;
    const { holdsKeySlot, mrtd } = context ?? this.#status;
    const told =
      event.event === 'guest.ended'
        ? { guestEnded: event.message }
        : event.event === 'td.ended'
          ? { error: event.error, leftovers: event.leftovers }
          : {};
    this.change({ state: event.state, holdsKeySlot, mrtd, waitingFor, ...told });
  }

  /** The TD ended before there was a chart. */
  endedEarly(state: 'destroyed' | 'failed', error: ErrorInWords | null): void {
    this.change({ state, error });
  }

  /** Writes it where anything is otherwise than before. */
  change(change: Change): void {
    const before = this.#status;
    const { since, ...others } = before;
    const isAnother = change.state !== undefined && change.state !== before.state;
    const after = { ...others, ...change };
    // While nothing is written it need not be known, and it takes a while to tell.
    if (!this.#isHeld && JSON.stringify(after) === JSON.stringify(others)) return;
    this.#status = { ...after, since: isAnother ? momentNow() : since };
    this.#write();
  }

  /** Writes it whether anything is otherwise or not. */
  again(): void {
    this.#write();
  }

  /** What is held by {@link hold} is for readers who can wait a moment. */
  goOn(): void {
    this.#isHeld = false;
    this.#write();
  }

  /** While a guest stands still for a move, its status is not written: it would wait for that. */
  hold(): void {
    this.#isHeld = true;
  }

  /** Nothing more is written: the directory is another keeper's. */
  end(): void {
    this.#isOver = true;
  }

  /** Without what is to come of it (outlook.ts). */
  td(): KeptTd {
    const { keeper, life } = this.#options;
    const { state, since, leftovers, guestEnded, waitingFor, vmm, ...told } = this.#status;
    return {
      ...told,
      life,
      state: keptStateOf(state),
      chartState: state,
      since: since.at,
      sinceMs: msSince(since, { now: momentNow(), isThisBoot: true }),
      notes: notesOf({ guestEnded, waitingFor, leftovers, vmm, holdsKeySlot: told.holdsKeySlot }),
      keeper: {
        ...{ pid: keeper.pid, tdctl: keeper.tdctl, api: keeper.api, startedAt: keeper.startedAt },
        ...{ unit: keeper.unit ?? null, lives: true },
      },
      queue: null,
      leftMs: null,
    };
  }

  #write(): void {
    const { write, onTrouble } = this.#options;
    if (this.#isOver || this.#isHeld) return;
    try {
      write(this.record);
    } catch (error) {
      if (!this.#isTroubled) onTrouble(error as TdctlError);
      this.#isTroubled = true;
    }
  }
}

/** The first events come before there is anything to look at. */
type Unfinished = { readonly [Part in keyof LookedAt]?: LookedAt[Part] | null | undefined };

const lastStates: readonly AnyTdStateId[] = ['destroyed', 'failed', 'stuck'];
/** A chart in one of these states waits for somebody. */
export const restStates: readonly AnyTdStateId[] = ['receiving', 'runnable', 'running', 'paused'];
