import type { KeyIdSplit } from '../platform.ts';
import { keyIdRange } from '../platform.ts';

export type KeyState = 'FREE' | 'ASSIGNED' | 'FLUSHED' | 'RESERVED';

export interface KeyEntry {
  state: KeyState;
  /** One bit for each package that still has to write back its caches (FLUSHED only). */
  pendingPackages: number;
}

/** The KOT has the state of every private key ID. */
export class KeyOwnershipTable {
  readonly #entries: KeyEntry[] = [];
  /**
   * Entries in state FLUSHED. They are kept apart because a teardown asks for them often, and there are
   * few.
   */
  readonly #flushed = new Set<KeyEntry>();
  readonly #first: number;

  constructor(split: KeyIdSplit) {
    const { moduleKeyId } = keyIdRange(split);
    this.#first = moduleKeyId;
    for (let i = 0; i < split.tdxPrivate; i++) {
      // TDH.SYS.CONFIG keeps the first private key ID for the module itself.
      this.#entries.push({ state: i === 0 ? 'RESERVED' : 'FREE', pendingPackages: 0 });
    }
  }

  /** Returns undefined where the number is not a private key ID. */
  entry(hkid: number): KeyEntry | undefined {
    return this.#entries[hkid - this.#first];
  }

  /** @throws Error where no check has found the number valid before. */
  of(hkid: number): KeyEntry {
    const entry = this.entry(hkid);
    if (entry === undefined) throw new Error('no entry in the key ownership table');
    return entry;
  }

  /** Gives the key IDs of guests with their states, in order. */
  *guestEntries(): IterableIterator<readonly [hkid: number, entry: KeyEntry]> {
    for (const [i, entry] of this.#entries.entries()) {
      if (entry.state !== 'RESERVED') yield [this.#first + i, entry];
    }
  }

  /** Puts the entry in state FLUSHED, with the caches of every package still to be written back. */
  flush(entry: KeyEntry, packages: number): void {
    entry.state = 'FLUSHED';
    entry.pendingPackages = (1 << packages) - 1;
    this.#flushed.add(entry);
  }

  free(entry: KeyEntry): void {
    entry.state = 'FREE';
    this.#flushed.delete(entry);
  }

  get flushed(): ReadonlySet<KeyEntry> {
    return this.#flushed;
  }
}
