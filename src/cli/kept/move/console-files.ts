/**
 * The console files of a TD that has come from another keeper. That writes them until it ends: what is printed here
 * meanwhile waits, so that the files have all of it in its order.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Backlog, type ConsoleSink } from '../../../guest/index.ts';
import type { ProcessIdentity } from '../../../keeper/identity.ts';
import { isThere } from '../../../keeper/presence.ts';

const lookEveryMs = 20;
const mostWaitingBytes = 1024 * 1024;

export class ConsoleFiles implements ConsoleSink {
  readonly #waiting = new Backlog(mostWaitingBytes);
  #sink: ConsoleSink | undefined;
  #following: Promise<void> | undefined;

  readonly print = (bytes: Uint8Array, lostBytes: number): void => {
    if (this.#sink === undefined) this.#waiting.push(Uint8Array.from(bytes), lostBytes);
    else this.#sink.print(bytes, lostBytes);
  };

  /** Opens them once that keeper is gone. @param onFailure hears why they get nothing. */
  follow(
    keeper: ProcessIdentity,
    open: () => Promise<ConsoleSink>,
    onFailure: (error: unknown) => void,
  ): void {
    this.#following = this.#follow(keeper, open).catch(onFailure);
  }

  async end(): Promise<void> {
    await this.#following;
    await this.#sink?.end();
  }

  async #follow(keeper: ProcessIdentity, open: () => Promise<ConsoleSink>): Promise<void> {
    while (isThere(keeper)) {
      await delay(lookEveryMs);
    }
    const sink = await open();
    for (const { lostBytes, bytes } of this.#waiting.take()) {
      if (lostBytes > 0) sink.print(new Uint8Array(), lostBytes);
      sink.print(bytes, 0);
    }
    this.#sink = sink;
  }
}
