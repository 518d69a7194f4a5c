/** The TDs that a name of a Rehearsal file stands for. */

export interface CountedTd {
  readonly name: string;
  /** So many TDs of this kind there are. */
  readonly count: number;
}

/** With a count of 3, web is web-1, web-2 and web-3; with one of 1 it is web. */
export function namesOf({ name, count }: CountedTd): string[] {
  if (count === 1) return [name];
  return Array.from({ length: count }, (_, index) => `${name}-${index + 1}`);
}

/** What each name that an operation may use stands for: all TDs of an entry, or one of them. */
export function meaningOfNames(tds: readonly CountedTd[]): ReadonlyMap<string, readonly string[]> {
  const meaning = new Map<string, readonly string[]>();
  for (const td of tds) {
    const names = namesOf(td);
    for (const name of names) meaning.set(name, [name]);
    meaning.set(td.name, names);
  }
  return meaning;
}
