/** The answers of a server that go on: readers of events, and of the console. They are counted and ended together. */
import { Refusal } from './refusal.ts';

interface Stream {
  /** Resolves when the reader has everything, or is gone. */
  end(): Promise<void>;
}

export class Streams {
  readonly #open = new Set<Stream>();
  readonly #last = new Set<Stream>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  /** @throws Refusal where there are as many as there may be, so that a request still gets through. */
  checkRoom(): void {
    if (this.#open.size < this.#most) return;
    throw new Refusal(503, {
      code: 'TDCTL_E_NOT_ANSWERING',
      message: `${this.#most} readers follow this TD, and there is no room for another`,
      hint: 'end one of them, and ask again',
    });
  }

  /** @returns what is called once the reader is gone. */
  add(stream: Stream): () => void {
    this.#open.add(stream);
    return () => this.#open.delete(stream);
  }

  /** The same of one that others go through to their end, and that is ended after them. */
  addLast(stream: Stream): () => void {
    this.#last.add(stream);
    return () => this.#last.delete(stream);
  }

  async end(): Promise<void> {
    for (const streams of [this.#open, this.#last]) {
      await Promise.all([...streams].map((stream) => stream.end()));
    }
  }
}
