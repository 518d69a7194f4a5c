/**
 * The guest pages with KVM_MEMORY_ATTRIBUTE_PRIVATE are kept as sorted ranges of page numbers [start,
 * end).
 */
export class PrivateRanges {
  #ranges: { start: number; end: number }[] = [];

  has(gfn: number): boolean {
    const range = this.#ranges[this.#firstEndingAfter(gfn)];
    return range !== undefined && range.start <= gfn;
  }

  /**
   * Returns true where every page of the range has the attribute (or lacks it, where `wanted` is
   * false).
   */
  isUniform(start: number, end: number, wanted: boolean): boolean {
    const range = this.#ranges[this.#firstEndingAfter(start)];
    if (wanted) return range !== undefined && range.start <= start && range.end >= end;
    return range === undefined || range.start >= end;
  }

  /** Counts the pages of [start, end) that have the attribute. */
  countIn(start: number, end: number): number {
    let pages = 0;
    for (const range of this.#ranges) {
      pages += Math.max(0, Math.min(range.end, end) - Math.max(range.start, start));
    }
    return pages;
  }

  add(start: number, end: number): void {
    let from = start;
    let to = end;
    const apart: { start: number; end: number }[] = [];
    for (const range of this.#ranges) {
      if (range.end < start || range.start > end) {
        apart.push(range);
      } else {
        from = Math.min(from, range.start);
        to = Math.max(to, range.end);
      }
    }
    apart.push({ start: from, end: to });
    this.#ranges = apart.sort((a, b) => a.start - b.start);
  }

  remove(start: number, end: number): void {
    const left: { start: number; end: number }[] = [];
    for (const range of this.#ranges) {
      if (range.start < start) left.push({ start: range.start, end: Math.min(range.end, start) });
      if (range.end > end) left.push({ start: Math.max(range.start, end), end: range.end });
    }
    this.#ranges = left.filter((range) => range.start < range.end);
  }

  #firstEndingAfter(gfn: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const range = this.#ranges[middle];
      if (range !== undefined && range.end <= gfn) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
