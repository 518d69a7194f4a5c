import type { GuestEnd } from './guest.ts';

/** The end of a guest, which is told once. */
export class GuestEnding {
  readonly ended: Promise<GuestEnd>;
  end: GuestEnd | undefined;
  #resolve: (end: GuestEnd) => void = () => undefined;

  constructor() {
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** The first end is the one that counts. */
  tell(end: GuestEnd): void {
    if (this.end !== undefined) return;
    this.end = end;
    this.#resolve(end);
  }
}
