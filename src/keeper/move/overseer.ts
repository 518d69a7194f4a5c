/** Watches another keeper that has a TD in its hands, and ends it where it stands still with that. */
import { setTimeout as delay } from 'node:timers/promises';
import type { ProcessIdentity } from '../identity.ts';
import { cpuTimeNs, fenceIf } from './fence.ts';
import { type Patience, patience } from './patience.ts';

/** One that is at work, as on a machine with too much of it, is waited for so many times as long. */
const mostExtensions = 10;

export interface OverseerOptions {
  readonly keeper: ProcessIdentity;
  /** So long may it say nothing. */
  readonly patienceMs: number;
  /** Whether the TD is still with this side, and the other one would have to be ended before it moves it. */
  readonly isHere: () => Promise<boolean>;
  readonly onEnded: () => void;
}

export class Overseer {
  readonly #options: OverseerOptions;
  #patience: Patience | undefined;
  /** How often it was waited for again. */
  #extended = 0;
  #isOff = true;

  constructor(options: OverseerOptions) {
    this.#options = options;
  }

  begin(): void {
    this.#isOff = false;
    this.#wait();
  }

  /** It has said something. */
  heard(): void {
    this.#extended = 0;
    if (!this.#isOff) this.#wait();
  }

  end(): void {
    this.#isOff = true;
    this.#patience?.end();
  }

  #wait(): void {
    this.#patience?.end();
    this.#patience = patience(this.#options.patienceMs, () => void this.#lostPatience());
  }

  /**
   * It stands still with the TD in its hands, as by SIGSTOP. It must not move the TD later, when that runs here again, so
   * it is ended first; one that has the TD already is waited for, and so is one that only gets to its work slowly, for a
   * while.
   */
  async #lostPatience(): Promise<void> {
    const { keeper, isHere, onEnded } = this.#options;
    const isEnded =
      !(await this.#isAtWork()) && (await isHere()) && (await fenceIf(keeper, isHere));
    if (isEnded) onEnded();
    else if (!this.#isOff) this.#wait();
  }

  async #isAtWork(): Promise<boolean> {
    const { keeper, patienceMs } = this.#options;
    this.#extended += 1;
    if (this.#extended > mostExtensions) return false;
    const before = cpuTimeNs(keeper);
    await delay(patienceMs / 3, undefined, { ref: false });
    return before !== cpuTimeNs(keeper);
  }
}
