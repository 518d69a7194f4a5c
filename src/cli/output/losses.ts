import type { TdctlError } from '../../errors/index.ts';

/**
 * What could not be written, by whichever part of a command. Nothing throws for it: a TD is taken down
 * first, as after a signal, and then it is told.
 */
export class Losses {
  readonly #interrupt: (reason: string) => void;
  readonly #told: TdctlError[] = [];
  #readerIsGone = false;

  /** @param interrupt stops the command that is under way */
  constructor(interrupt: (reason: string) => void = () => undefined) {
    this.#interrupt = interrupt;
  }

  /** The errors that the command ends with. */
  get told(): readonly TdctlError[] {
    return this.#told;
  }

  /** Whether the reader of stdout or stderr went away, which is how `| head -1` says that it has enough. */
  get readerIsGone(): boolean {
    return this.#readerIsGone;
  }

  /** Can be passed as a callback. */
  readonly add = (error: TdctlError): void => {
    this.#told.push(error);
    this.#interrupt(error.message);
  };

  readerWent(): void {
    this.#readerIsGone = true;
    this.#interrupt('EPIPE');
  }
}
