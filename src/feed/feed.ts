/** A numbered history, so that whoever comes late or comes back catches up. */
import { dataValue } from '../documents/data-values.ts';

export interface FeedEntry {
  /** The numbers begin at 1 or later and only rise. */
  readonly id: number;
  /** The message as JSON in one line. */
  readonly data: string;
}

export interface FeedOptions<Message> {
  /** So many messages are kept. Of older ones only those are kept that say where something stood last. */
  readonly most?: number | undefined;
  /** What the message says the standing of; undefined where it says none. */
  readonly standing?: ((message: Message) => string | undefined) | undefined;
}

export class Feed<Message> {
  readonly #most: number;
  readonly #standing: (message: Message) => string | undefined;
  readonly #entries: FeedEntry[] = [];
  /** The dropped entries that say where something stands, by what that is. */
  readonly #standings = new Map<string, FeedEntry>();
  /** What the kept entries say the standing of, by the id of the entry. */
  readonly #standingOf = new Map<number, string>();
  readonly #listeners = new Set<(entry: FeedEntry) => void>();
  #lastId = 0;

  constructor({ most = 50_000, standing = () => undefined }: FeedOptions<Message> = {}) {
    this.#most = most;
    this.#standing = standing;
  }

  /** @param id is higher than all before it; the next number where it is left out. */
  publish(message: Message, id = this.#lastId + 1): void {
    this.#lastId = id;
    const entry = { id, data: JSON.stringify(message, dataValue) };
    this.#entries.push(entry);
    const standing = this.#standing(message);
    if (standing !== undefined) this.#standingOf.set(id, standing);
    // Entries are dropped in heaps: moving a long array for each message would cost more than the message.
    if (this.#entries.length >= 2 * this.#most) this.#drop(this.#entries.length - this.#most);
    for (const listener of this.#listeners) listener(entry);
  }

  /** The entries since that one, oldest first. An id that is yet to come is of another run: all are given. */
  since(id: number): readonly FeedEntry[] {
    if (id > this.#lastId) return this.since(0);
    // Whoever comes back has missed little, so it is looked for from the end.
    const seen = this.#entries.findLastIndex((entry) => entry.id <= id);
    if (seen >= 0) return this.#entries.slice(seen + 1);
    const standings = [...this.#standings.values()].sort((a, b) => a.id - b.id);
    return [...standings.filter((entry) => entry.id > id), ...this.#entries];
  }

  /** So many listen. */
  get readers(): number {
    return this.#listeners.size;
  }

  /** @returns the way to end the subscription. */
  subscribe(listener: (entry: FeedEntry) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #drop(count: number): void {
    for (const entry of this.#entries.splice(0, count)) {
      const standing = this.#standingOf.get(entry.id);
      if (standing === undefined) continue;
      this.#standingOf.delete(entry.id);
      this.#standings.set(standing, entry);
    }
  }
}
