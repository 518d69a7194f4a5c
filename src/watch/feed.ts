/** The history of a run, numbered, so that whoever comes late or comes back catches up. */
import type { WatchMessage } from './messages.ts';

export interface FeedEntry {
  /** From 1, without gaps. */
  readonly id: number;
  /** JSON in one line. */
  readonly data: string;
}

export interface FeedOptions {
  /** So many messages are kept; of what is older, only where each lane stood last. */
  readonly most?: number;
}

export class Feed {
  readonly #most: number;
  readonly #entries: FeedEntry[] = [];
  /** Entries of `#entries` that were dropped and say where a lane stands, by lane. */
  readonly #standings = new Map<string, FeedEntry>();
  /** By id, the lanes of the kept entries that enter a state. */
  readonly #laneOf = new Map<number, string>();
  readonly #listeners = new Set<(entry: FeedEntry) => void>();
  #lastId = 0;

  constructor({ most = 50_000 }: FeedOptions = {}) {
    this.#most = most;
  }

  publish(message: WatchMessage): void {
    this.#lastId += 1;
    const entry = { id: this.#lastId, data: JSON.stringify(message) };
    this.#entries.push(entry);
    if (message.kind === 'event' && message.event.event === 'state.entered') {
      this.#laneOf.set(entry.id, message.lane);
    }
    // Dropped in heaps: moving a long array for each message would cost more than the message.
    if (this.#entries.length >= 2 * this.#most) this.#drop(this.#entries.length - this.#most);
    for (const listener of this.#listeners) listener(entry);
  }

  /** What has happened since, oldest first. An id that is yet to come is of another run: all of it. */
  since(id: number): readonly FeedEntry[] {
    if (id > this.#lastId) return this.since(0);
    const first = this.#entries[0]?.id ?? 1;
    if (id >= first - 1) return this.#entries.slice(id - first + 1);
    const standings = [...this.#standings.values()].sort((a, b) => a.id - b.id);
    return [...standings.filter((entry) => entry.id > id), ...this.#entries];
  }

  /** @returns the way to end it. */
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
