/** Where those wait who want something of a TD that stands still for a move. */

export class Gate {
  /** Undefined while nobody has to wait. */
  #waiting: (() => void)[] | undefined;

  close(): void {
    this.#waiting ??= [];
  }

  open(): void {
    for (const resolve of this.#waiting ?? []) resolve();
    this.#waiting = undefined;
  }

  async passed(): Promise<void> {
    await new Promise<void>((resolve) => {
      if (this.#waiting?.push(resolve) === undefined) resolve();
    });
  }
}
