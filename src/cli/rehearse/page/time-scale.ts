/**
 * Simulated times on a page. A TD is built in 2 ms, moved in 0.4 ms and taken down in half a second, so
 * on an even scale only the last would be seen. Each stretch between two points in time is as wide as
 * the logarithm of its length; the order stays.
 */
export class TimeScale {
  readonly width: number;
  readonly #positions = new Map<number, number>();

  /** @param times milliseconds, in any order. */
  constructor(times: readonly number[], pixelsPerStep = 44) {
    const inOrder = [...new Set(times)].sort((a, b) => a - b);
    let at = 0;
    let before: number | undefined;
    for (const time of inOrder) {
      if (before !== undefined) at += pixelsPerStep * Math.log10(1 + (time - before) * 1000);
      this.#positions.set(time, at);
      before = time;
    }
    this.width = at;
  }

  /** The place of the time, or of the last one before it that the scale was made from. */
  at(time: number): number {
    let nearest = 0;
    for (const [known, position] of this.#positions) if (known <= time) nearest = position;
    return nearest;
  }

  /** The points to write a time at, of which none is closer than `gap` pixels to the one before. */
  ticks(gap: number): { readonly ms: number; readonly at: number }[] {
    const ticks: { ms: number; at: number }[] = [];
    for (const [ms, at] of this.#positions) {
      const last = ticks.at(-1);
      if (last === undefined || at - last.at >= gap) ticks.push({ ms, at });
    }
    return ticks;
  }
}
