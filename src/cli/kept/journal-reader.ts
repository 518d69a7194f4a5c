/** The journal of a TD, as it grows. */
import { statSync } from 'node:fs';
import { readJournal } from '../../keeper/journal/index.ts';
import type { TdFiles } from '../../keeper/td-files.ts';
import { isTold, type ToldRecord } from '../../keeper/told.ts';

/** What comes to a journal that somebody else writes, after what there is of the life before. */
export class JournalReader {
  readonly #files: TdFiles;
  #size = -1;
  #seq = 0;
  #isFirst = true;

  constructor(files: TdFiles) {
    this.#files = files;
  }

  /** What is there already is told by nobody. */
  skip(): void {
    this.next();
  }

  next(): ToldRecord[] {
    const before = this.#isFirst ? this.#news(this.#files.journalBefore) : [];
    this.#isFirst = false;
    const size = statSync(this.#files.journal, { throwIfNoEntry: false })?.size;
    if (size === undefined || size === this.#size) return before;
    this.#size = size;
    return [...before, ...this.#sinceLast()];
  }

  /** Where the journal was begun anew since, what came last in the one before is read first. */
  #sinceLast(): ToldRecord[] {
    const [first] = readJournal(this.#files.journal).records;
    const isAnother = this.#seq > 0 && first !== undefined && first.seq > this.#seq + 1;
    const missed = isAnother ? this.#news(this.#files.journalBefore) : [];
    return [...missed, ...this.#news(this.#files.journal)];
  }

  /** The numbers go on over all lives. */
  #news(path: string): ToldRecord[] {
    const { records } = readJournal(path);
    const news = records.filter(({ seq }) => seq > this.#seq);
    this.#seq = news.at(-1)?.seq ?? this.#seq;
    return news.filter(isTold);
  }
}
