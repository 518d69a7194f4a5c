/** The signals by which a keeper is asked to take its TD down. */
import type { KeptSurface } from '../../keeper/api/surface.ts';

const stopping = ['SIGTERM', 'SIGINT'] as const;

/**
 * From the beginning on, because the default of a signal is an end without a teardown. SIGHUP means nothing to a
 * process without a terminal.
 */
export class StopRequest {
  #reason: string | undefined;
  #surface: KeptSurface | undefined;
  #cancel: (() => void) | undefined;
  /** Nothing else keeps the process alive while a TD is held: handlers of signals do not. */
  readonly #keepAlive = setInterval(() => {}, 2 ** 30);

  constructor() {
    for (const signal of stopping) process.on(signal, () => this.#ask(signal));
    process.on('SIGHUP', () => {});
  }

  /** The signal that came first. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** What takes back what is under way, until there is somebody to ask. */
  cancels(cancel: () => void): void {
    this.#cancel = cancel;
    if (this.#reason !== undefined) cancel();
  }

  /** Whom to ask from now on, and at once where a signal has come already. */
  stops(surface: KeptSurface): void {
    this.#surface = surface;
    if (this.#reason !== undefined) this.#stop();
  }

  /** The handlers stay: the end is under way, and a signal must not cut it off. */
  done(): void {
    this.#surface = undefined;
    clearInterval(this.#keepAlive);
  }

  #ask(signal: NodeJS.Signals): void {
    this.#reason ??= signal;
    this.#stop();
  }

  #stop(): void {
    if (this.#surface === undefined) this.#cancel?.();
    else this.#surface.act('stop', { by: undefined }).catch(() => undefined);
  }
}
