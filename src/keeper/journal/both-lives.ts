/** What a TD's journals say together: the one of its life, and the one of the life before. */
import { readJournal } from './read.ts';
import type { JournalRecord } from './records.ts';

export interface JournalPaths {
  readonly journal: string;
  readonly journalBefore: string;
}

/**
 * What has come since a record; the numbers go on over all lives.
 *
 * A life may begin while this reads, and the journal is set aside then. So it is read before the one that it would
 * replace: what was read once may come twice, and is told once, and nothing slips through between the two.
 *
 * @param seq of the record that is known already; 0 where none is.
 */
export function recordsSince(
  { journal, journalBefore }: JournalPaths,
  seq: number,
): readonly JournalRecord[] {
  const ofThisLife = readJournal(journal).records;
  const [first] = ofThisLife;
  const goesOn = first !== undefined && first.seq <= seq + 1;
  const ofTheLifeBefore = goesOn ? [] : readJournal(journalBefore).records;
  const known = ofTheLifeBefore.at(-1)?.seq ?? 0;
  return [...ofTheLifeBefore, ...ofThisLife.filter((record) => record.seq > known)].filter(
    (record) => record.seq > seq,
  );
}
