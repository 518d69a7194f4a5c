import type { Gpa, Hpa } from './addresses.ts';

export interface LeafEntry {
  readonly hpa: Hpa;
  /** TD epoch at which TDH.MEM.RANGE.BLOCK ran; undefined while the entry is mapped. */
  blockedAtEpoch: number | undefined;
}

/**
 * The secure EPT of one TD is modelled as presence only: which tables and which 4 KiB pages are there.
 * The root is part of TDCS. An entry of level n covers 4 KiB << 9n; level 0 maps a page.
 */
export class SecureEpt {
  /** Level of the entries in the root: 3 in a 4-level walk, 4 in a 5-level walk. */
  readonly topLevel: number;
  readonly #tables: Map<number, Hpa>[];
  readonly #pages = new Map<number, LeafEntry>();

  constructor(walkLevels: 4 | 5) {
    this.topLevel = walkLevels - 1;
    this.#tables = Array.from({ length: walkLevels }, () => new Map());
  }

  /** Returns true where a walk for `gpa` reaches the table that holds its entry of `level`. */
  reaches(gpa: Gpa, level: number): boolean {
    return level === this.topLevel || this.hasTable(gpa, level + 1);
  }

  hasTable(gpa: Gpa, level: number): boolean {
    return this.#tables[level]?.has(entryNumber(gpa, level)) ?? false;
  }

  addTable(gpa: Gpa, level: number, hpa: Hpa): void {
    this.#tables[level]?.set(entryNumber(gpa, level), hpa);
  }

  page(gpa: Gpa): LeafEntry | undefined {
    return this.#pages.get(entryNumber(gpa, 0));
  }

  addPage(gpa: Gpa, hpa: Hpa): void {
    this.#pages.set(entryNumber(gpa, 0), { hpa, blockedAtEpoch: undefined });
  }

  removePage(gpa: Gpa): void {
    this.#pages.delete(entryNumber(gpa, 0));
  }
}

function entryNumber(gpa: Gpa, level: number): number {
  return Math.floor(gpa / (4096 * 512 ** level));
}
