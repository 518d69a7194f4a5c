/**
 * Times of a run on a page. A TD is built in 2 ms, moved in 0.4 ms and taken down in half a second, so
 * on an even scale only the last would be seen. Each stretch between two points in time is as wide as
 * the logarithm of its length, and no narrower than a number; the order stays.
 *
 * This is arithmetic alone, for pages that are drawn in the browser and for those that are not.
 */

/** In pixels where the picture has its natural width: room for two digits. */
const leastWidth = 17;
const widthPerDecade = 12;

interface Moment {
  readonly ns: number;
  /** What takes no time at all is drawn between these two places. */
  readonly before: number;
  readonly after: number;
}

export class TimeScale {
  readonly width: number;
  readonly #moments: readonly Moment[];

  /**
   * @param times milliseconds, in any order.
   * @param instants how many things stand side by side at that time, and take no time at all.
   */
  constructor(times: readonly number[], instants: (atMs: number) => number = () => 0) {
    const inOrder = [...new Map(times.map((time) => [nanoseconds(time), time]))];
    let at = 0;
    let last: number | undefined;
    this.#moments = inOrder
      .sort(([one], [other]) => one - other)
      .map(([ns, time]) => {
        if (last !== undefined)
          at += leastWidth + widthPerDecade * Math.log10((ns - last) / 1000 + 1);
        last = ns;
        const before = at;
        at += instants(time) * leastWidth;
        return { ns, before, after: at };
      });
    this.width = at;
  }

  /** Where the time begins, from 0 to 1. */
  before(time: number): number {
    return this.#place(time, 'before');
  }

  /** Where the time ends, which is elsewhere only if things happen in no time then. */
  after(time: number): number {
    return this.#place(time, 'after');
  }

  get endMs(): number {
    return (this.#moments.at(-1)?.ns ?? 0) / 1e6;
  }

  /** Points to write a time at, none closer than that to the one before, with room for another at the end. */
  ticks(gap: number): { readonly ms: number; readonly at: number }[] {
    const ticks: { ms: number; at: number }[] = [];
    for (const { ns, before } of this.#moments) {
      const at = this.#share(before);
      const last = ticks.at(-1);
      if (last === undefined || (at - last.at >= gap && at <= 1 - 2 * gap)) {
        ticks.push({ ms: ns / 1e6, at });
      }
    }
    return ticks;
  }

  /** A time that is not among those of the scale stands evenly between its neighbours. */
  #place(time: number, side: 'before' | 'after'): number {
    const ns = nanoseconds(time);
    const next = this.#moments.findIndex((moment) => moment.ns >= ns);
    const [low, high] = [this.#moments[next - 1], this.#moments[next]];
    if (high === undefined) return 1;
    if (high.ns === ns || low === undefined) return this.#share(high[side]);
    const part = (ns - low.ns) / (high.ns - low.ns);
    return this.#share(low.after + part * (high.before - low.after));
  }

  #share(at: number): number {
    return this.width === 0 ? 0 : at / this.width;
  }
}

function nanoseconds(milliseconds: number): number {
  return Math.round(milliseconds * 1e6);
}
