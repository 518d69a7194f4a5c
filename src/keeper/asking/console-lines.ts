/** The connections to the console of a TD, one after the other as it goes from keeper to keeper, without a byte lost. */
import { setTimeout as delay } from 'node:timers/promises';
import { TdctlError } from '../../errors/index.ts';
import { type ConsoleLine, connectTd, type KeeperClient } from '../client.ts';
import type { KeptTd } from '../kept-td.ts';
import { readKeptTd } from '../kept-tds.ts';
import { isOver } from '../state.ts';
import type { StateDirectory } from '../state-directory.ts';

const answerMs = 10_000;
const lookEveryMs = 20;

export class ConsoleLines {
  readonly #state: StateDirectory;
  readonly #name: string;
  #keeperPid: number | undefined;
  #client: KeeperClient | undefined;
  /** The byte of the log that comes next. */
  #next: number | undefined;

  constructor(state: StateDirectory, { name, keeper }: Pick<KeptTd, 'name' | 'keeper'>) {
    this.#state = state;
    this.#name = name;
    this.#keeperPid = keeper?.pid;
  }

  /** What is printed from now on. @throws TdctlError as {@link connectTd}. */
  first(): Promise<ConsoleLine> {
    return this.#open();
  }

  /** After the one before has ended. @returns undefined where the TD has not gone to another keeper. */
  async next(): Promise<ConsoleLine | undefined> {
    const until = performance.now() + answerMs;
    for (;;) {
      const td = readKeptTd(this.#state, this.#name);
      if (td === undefined || isOver(td.state) || performance.now() > until) return undefined;
      const isAnother = td.keeper !== null && td.keeper.pid !== this.#keeperPid;
      if (!isAnother && td.state !== 'moving') return undefined;
      try {
        if (isAnother) return await this.#open();
      } catch (error) {
        // It takes questions in a moment, or is gone again, which is seen by the next look.
        if (!(error instanceof TdctlError)) throw error;
      }
      await delay(lookEveryMs);
    }
  }

  close(): void {
    this.#client?.close();
    this.#client = undefined;
  }

  async #open(): Promise<ConsoleLine> {
    this.close();
    const client = await connectTd(this.#state, this.#name, { deadlineMs: answerMs });
    this.#client = client;
    this.#keeperPid = client.greeting.pid;
    const line = await client.console({ from: this.#next, deadlineMs: answerMs });
    this.#next = line.from;
    line.on('data', (bytes: Buffer) => {
      if (this.#next !== undefined) this.#next += bytes.length;
    });
    // Nothing is read before somebody prints it.
    line.pause();
    return line;
  }
}
