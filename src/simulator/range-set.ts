import { firstEndingAfter, type Range } from './range-map.ts';

/** A set of whole numbers (guest pages, free addresses), kept as ranges in order that do not touch. */
export class RangeSet {
  readonly #ranges: Range[] = [];

  has(point: number): boolean {
    const range = this.#ranges[firstEndingAfter(this.#ranges, point)];
    return range !== undefined && range.start <= point;
  }

  /** Returns true where all of the range is in the set (or none of it, where `wanted` is false). */
  isUniform({ start, end }: Range, wanted: boolean): boolean {
    const range = this.#ranges[firstEndingAfter(this.#ranges, start)];
    if (wanted) return range !== undefined && range.start <= start && range.end >= end;
    return range === undefined || range.start >= end;
  }

  /** Counts the numbers of a range that are in the set. */
  countIn({ start, end }: Range): number {
    let count = 0;
    const { length } = this.#ranges;
    for (let i = firstEndingAfter(this.#ranges, start); i < length; i++) {
      const range = this.#ranges[i];
      if (range === undefined || range.start >= end) break;
      count += Math.min(range.end, end) - Math.max(range.start, start);
    }
    return count;
  }

  /** Gives what of a range is in the set, in order. */
  within({ start, end }: Range): Range[] {
    return this.#meeting({ start, end }).touched.map((range) => ({
      start: Math.max(range.start, start),
      end: Math.min(range.end, end),
    }));
  }

  add({ start, end }: Range): void {
    // A range that ends where the new one begins becomes one with it.
    const { place, touched } = this.#meeting({ start: start - 1, end: end + 1 });
    const from = Math.min(start, touched[0]?.start ?? start);
    const to = Math.max(end, touched.at(-1)?.end ?? end);
    this.#ranges.splice(place, touched.length, { start: from, end: to });
  }

  remove(removed: Range): void {
    const { place, touched } = this.#meeting(removed);
    const left = touched.flatMap(({ start, end }) => [
      { start, end: Math.min(end, removed.start) },
      { start: Math.max(start, removed.end), end },
    ]);
    const kept = left.filter(({ start, end }) => start < end);
    this.#ranges.splice(place, touched.length, ...kept);
  }

  /** Gives the lowest range of a length that lies in the set and does not begin below `from`. */
  lowestOf(length: number, from: number): Range | undefined {
    for (let i = firstEndingAfter(this.#ranges, from); i < this.#ranges.length; i++) {
      const range = this.#ranges[i];
      const start = Math.max(range?.start ?? from, from);
      if (range !== undefined && range.end - start >= length) return { start, end: start + length };
    }
    return undefined;
  }

  #meeting({ start, end }: Range): { readonly place: number; readonly touched: readonly Range[] } {
    const place = firstEndingAfter(this.#ranges, start);
    let after = place;
    while ((this.#ranges[after]?.start ?? end) < end) after++;
    return { place, touched: this.#ranges.slice(place, after) };
  }
}
