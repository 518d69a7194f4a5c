/** A hold on what several have; the last to let go gives it up. */
export class Holding<Thing> {
  readonly thing: Thing;
  readonly #shared: { holders: number; readonly giveUp: () => Promise<void> };
  #isOver = false;

  private constructor(
    thing: Thing,
    shared: { holders: number; readonly giveUp: () => Promise<void> },
  ) {
    this.thing = thing;
    this.#shared = shared;
    shared.holders++;
  }

  static first<Thing>(thing: Thing, giveUp: () => Promise<void>): Holding<Thing> {
    return new Holding(thing, { holders: 0, giveUp });
  }

  another(): Holding<Thing> {
    return new Holding(this.thing, this.#shared);
  }

  async close(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#shared.holders--;
    if (this.#shared.holders === 0) await this.#shared.giveUp();
  }
}
