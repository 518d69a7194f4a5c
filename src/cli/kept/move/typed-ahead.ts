/** What was typed at the keeper before, in its order, until the guest takes it here. */
export class TypedAhead {
  #rest: Buffer = Buffer.alloc(0);
  #input: ((bytes: Uint8Array) => number) | undefined;
  #timer: NodeJS.Timeout | undefined;

  readonly take = (bytes: Uint8Array): void => {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    if (this.#timer === undefined) this.#go();
  };

  /** For what is typed here: it comes after what was typed there. */
  readonly input = (bytes: Uint8Array): number =>
    this.#rest.length > 0 ? 0 : (this.#input?.(bytes) ?? 0);

  goesTo(input: (bytes: Uint8Array) => number): void {
    this.#input = input;
    if (this.#timer === undefined) this.#go();
  }

  #go(): void {
    this.#timer = undefined;
    if (this.#input === undefined) return;
    this.#rest = this.#rest.subarray(this.#input(this.#rest));
    if (this.#rest.length === 0) return;
    this.#timer = setTimeout(() => this.#go(), againMs).unref();
  }
}

/** So soon is tried again what a guest had no room for. */
const againMs = 20;
