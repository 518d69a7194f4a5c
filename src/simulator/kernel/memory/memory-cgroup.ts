/**
 * memory.max of cgroups, as mm/memcontrol.c charges the pages of a guest_memfd: to the cgroup and all above it,
 * or to none. The kernel charges the task that makes a page come; here that is the one that made the file.
 */
import { cgroupLineage } from '../cgroup-lineage.ts';

interface Level {
  maxPages: number;
  pages: number;
}

export class MemoryCgroup {
  readonly #levels = new Map<string, Level>();

  setMax(path: string, maxPages: number): void {
    this.#level(path).maxPages = maxPages;
  }

  /** Returns false, and charges none, when one of them has no room. */
  tryCharge(path: string, pages: number): boolean {
    if (pages > this.room(path)) return false;
    for (const level of this.#lineage(path)) level.pages += pages;
    return true;
  }

  uncharge(path: string, pages: number): void {
    for (const level of this.#lineage(path)) level.pages -= pages;
  }

  /** Counts pages; Infinity without any limit. */
  room(path: string): number {
    return Math.min(...this.#lineage(path).map(({ maxPages, pages }) => maxPages - pages));
  }

  #lineage(path: string): Level[] {
    return [...cgroupLineage(path)].map((each) => this.#level(each));
  }

  #level(path: string): Level {
    let level = this.#levels.get(path);
    if (level === undefined) {
      level = { maxPages: Number.POSITIVE_INFINITY, pages: 0 };
      this.#levels.set(path, level);
    }
    return level;
  }
}
