/** The history of a run, numbered, so that whoever comes late or comes back catches up. */
import { dataValue } from '../documents/data-values.ts';
import type { WatchMessage } from './messages.ts';

export interface FeedEntry {
  /** The numbers begin at 1 and have no gaps. */
  readonly id: number;
  /** The message as JSON in one line. */
  readonly data: string;
}

export class Feed {
  readonly #most: number;
  readonly #entries: FeedEntry[] = [];
  /** The dropped entries that say where a lane stands, by lane. */
  readonly #standings = new Map<string, FeedEntry>();
  /** The lanes of the kept entries that enter a state, by the id of the entry. */
  readonly #laneOf = new Map<number, string>();
  readonly #listeners = new Set<(entry: FeedEntry) => void>();
  #lastId = 0;

  /** So many messages are kept. Of older ones only those are kept that say where each lane stood last. */
  constructor({ most = 50_000 }: { readonly most?: number } = {}) {
    this.#most = most;
  }

  publish(message: WatchMessage): void {
    this.#lastId += 1;
    const entry = { id: this.#lastId, data: JSON.stringify(message, dataValue) };
    this.#entries.push(entry);
    if (message.kind === 'event' && message.event.event === 'state.entered') {
      this.#laneOf.set(entry.id, message.lane);
    }
    // Entries are dropped in heaps: moving a long array for each message would cost more than the message.
    if (this.#entries.length >= 2 * this.#most) this.#drop(this.#entries.length - this.#most);
    for (const listener of this.#listeners) listener(entry);
  }

  /** The entries since that one, oldest first. An id that is yet to come is of another run: all are given. */
  since(id: number): readonly FeedEntry[] {
    if (id > this.#lastId) return this.since(0);
    const first = this.#entries[0]?.id ?? 1;
    if (id >= first - 1) return this.#entries.slice(id - first + 1);
    const standings = [...this.#standings.values()].sort((a, b) => a.id - b.id);
    return [...standings.filter((entry) => entry.id > id), ...this.#entries];
  }

  /** @returns the way to end the subscription. */
  subscribe(listener: (entry: FeedEntry) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #drop(count: number): void {
    for (const entry of this.#entries.splice(0, count)) {
      const lane = this.#laneOf.get(entry.id);
      if (lane === undefined) continue;
      this.#laneOf.delete(entry.id);
      this.#standings.set(lane, entry);
    }
  }
}
