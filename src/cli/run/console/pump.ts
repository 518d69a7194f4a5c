/** Between a guest that prints and a reader that may be slow. */
import { Backlog, type Piece } from '../../../guest/index.ts';
import type { TextSink } from '../../io.ts';

/** So much waits for the reader. */
const mostWaitingBytes = 1024 * 1024;

export class Pump {
  readonly #backlog = new Backlog(mostWaitingBytes);
  readonly #sink: TextSink;
  readonly #show: (piece: Piece) => void;
  #isWaiting = false;

  /** @param show writes to the sink. */
  constructor(sink: TextSink, show: (piece: Piece) => void) {
    this.#sink = sink;
    this.#show = show;
  }

  push(bytes: Uint8Array, lostBytes: number): void {
    this.#backlog.push(bytes, lostBytes);
    if (!this.#isWaiting) this.#go();
  }

  /** Shows what waits, whether the reader takes it or not. */
  flush(): void {
    for (const piece of this.#backlog.take()) this.#show(piece);
  }

  #go(): void {
    if (this.#sink.isBehind === true) {
      this.#isWaiting = true;
      void this.#sink.settled?.().then(() => {
        this.#isWaiting = false;
        if (!this.#backlog.isEmpty) this.#go();
      });
      return;
    }
    this.flush();
  }
}
