/** A TD of the scenario, the keepers that it has had, and what `list` tells of it. */
import type { TdStateId } from '../../machines/td-lifecycle/index.ts';
import { TdctlError } from '../errors/index.ts';
import { connectTd } from '../keeper/client.ts';
import type { HostSeen } from '../keeper/hosts/operations.ts';
import type { KeeperIdentity } from '../keeper/identity.ts';
import { readJournal } from '../keeper/journal/index.ts';
import type { JournalRecord } from '../keeper/journal/records.ts';
import type { KeptTd } from '../keeper/kept-td.ts';
import { readKeptTd } from '../keeper/kept-tds.ts';
import { readNextStatus } from '../keeper/move/next-status.ts';
import { isThere } from '../keeper/presence.ts';
import { isOver } from '../keeper/state.ts';
import type { StateDirectory } from '../keeper/state-directory.ts';
import { readStatus } from '../keeper/status-file.ts';
import { type TdFiles, tdFiles } from '../keeper/td-files.ts';
import type { BelievedTd, Fate } from '../rehearsal/index.ts';

/** In these states of its chart a TD waits for somebody. */
export type RestState = 'runnable' | 'running' | 'paused';

/** The file that it is made from. */
export interface TdSource {
  readonly text: string;
  /** Absolute. */
  readonly path: string;
}

export class PlayedTd {
  readonly name: string;
  readonly source: TdSource;
  readonly files: TdFiles;
  readonly #state: StateDirectory;
  /** So many keepers were started for it. */
  keepers = 0;
  /** So many moves were begun. */
  moves = 0;
  fate: Fate = 'planned';
  tdr: number | undefined;
  /** It ran when the last move of it was begun. */
  ranBefore = false;
  /** A move of it is under way. */
  isMoving = false;
  readonly #known = new Map<
    number,
    { readonly keeper: number; readonly process: KeeperIdentity }
  >();

  constructor(name: string, source: TdSource, state: StateDirectory) {
    this.name = name;
    this.source = source;
    this.#state = state;
    this.files = tdFiles(state, name);
  }

  /** What `tdctl list` tells of it. */
  get listed(): KeptTd | undefined {
    return readKeptTd(this.#state, this.name);
  }

  /** Takes note of those who have written down that they keep it, or are to. */
  look(): void {
    for (const process of [this.owner, this.next]) {
      if (process === undefined || this.#known.has(process.pid)) continue;
      this.#known.set(process.pid, { keeper: this.keepers, process });
    }
  }

  /** The process that its directory belongs to. */
  get owner(): KeeperIdentity | undefined {
    const status = readStatus(this.files.status);
    return status.kind === 'read' ? status.file.keeper : undefined;
  }

  get next(): KeeperIdentity | undefined {
    return readNextStatus(this.files.nextStatus)?.keeper;
  }

  /** The process that is its so-manieth keeper, as far as that is known. */
  keeper(number: number): KeeperIdentity | undefined {
    this.look();
    return [...this.#known.values()].findLast(({ keeper }) => keeper === number)?.process;
  }

  get everyKeeper(): readonly KeeperIdentity[] {
    this.look();
    return [...this.#known.values()].map(({ process }) => process);
  }

  /** Nobody is at work on it any more that would have to end first. */
  isAtRest(wanted: readonly RestState[]): boolean {
    const { next, listed } = this;
    if (next !== undefined && isThere(next)) return false;
    const { owner } = this;
    // Those that have left it, and never had it, end too.
    const others = this.everyKeeper.filter(({ pid }) => pid !== owner?.pid);
    if (others.some((each) => isThere(each))) return false;
    if (listed === undefined) return true;
    if (isOver(listed.state)) return owner === undefined || !isThere(owner);
    return wanted.some((state) => state === listed.chartState);
  }

  /**
   * Asks the keeper itself: its files tell nothing new while a vCPU is held for a move, and a keeper that was stopped
   * there has not come to terms yet with what happened meanwhile.
   */
  async confirms(wanted: readonly RestState[]): Promise<boolean> {
    const { listed } = this;
    if (listed === undefined || isOver(listed.state)) return true;
    try {
      const client = await connectTd(this.#state, this.name);
      const { chartState } = await client.td().finally(() => client.close());
      return wanted.some((state) => state === chartState);
    } catch (error) {
      if (error instanceof TdctlError) return false;
      throw error;
    }
  }

  get records(): readonly JournalRecord[] {
    return readJournal(this.files.journal).records;
  }

  get recordsBefore(): readonly JournalRecord[] {
    return readJournal(this.files.journalBefore).records;
  }

  believed({ programs }: HostSeen): BelievedTd {
    const { name, fate, tdr, listed, owner } = this;
    const process = programs.find(({ pid }) => pid === owner?.pid)?.process;
    const says = owner !== undefined && isThere(owner) ? listed?.chartState : undefined;
    return {
      ...{ name, fate, tdr, state: (says ?? undefined) as TdStateId | undefined },
      vmIn: (vms) =>
        process === undefined
          ? undefined
          : vms.findLast(({ mm, type }) => mm === process && type === 'td'),
    };
  }
}
