/**
 * Ranges [start, end) of whole numbers, kept in order, so that a look-up halves what is left instead of
 * looking at each: what the kernel has maple and interval trees for.
 */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** Gives the place of the first range that ends after `point`: the one that holds it, or the next. */
export function firstEndingAfter(ranges: readonly Range[], point: number): number {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const range = ranges[middle];
    if (range !== undefined && range.end <= point) low = middle + 1;
    else high = middle;
  }
  return low;
}

interface Entry<Value> extends Range {
  readonly value: Value;
}

/** Values by the range that each has to itself: no two ranges meet. */
export class RangeMap<Value> {
  readonly #entries: Entry<Value>[] = [];

  /** Gives the value whose range holds the point. */
  at(point: number): Value | undefined {
    const entry = this.#entries[firstEndingAfter(this.#entries, point)];
    return entry !== undefined && entry.start <= point ? entry.value : undefined;
  }

  /** Gives the values whose ranges have a part of [start, end), in order. */
  *meeting({ start, end }: Range): Iterable<Value> {
    const { length } = this.#entries;
    for (let i = firstEndingAfter(this.#entries, start); i < length; i++) {
      const entry = this.#entries[i];
      if (entry === undefined || entry.start >= end) return;
      yield entry.value;
    }
  }

  /** @throws Error where another value has a part of the range. */
  add({ start, end }: Range, value: Value): void {
    const place = firstEndingAfter(this.#entries, start);
    const next = this.#entries[place];
    if (next !== undefined && next.start < end) {
      throw new Error(`[${start}, ${end}) meets [${next.start}, ${next.end})`);
    }
    this.#entries.splice(place, 0, { start, end, value });
  }

  /** Takes out the range that holds the point; without effect where none does. */
  removeAt(point: number): void {
    const place = firstEndingAfter(this.#entries, point);
    const entry = this.#entries[place];
    if (entry !== undefined && entry.start <= point) this.#entries.splice(place, 1);
  }

  *values(): Iterable<Value> {
    for (const { value } of this.#entries) yield value;
  }
}
