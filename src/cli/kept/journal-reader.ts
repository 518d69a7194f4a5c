/** The journals of a TD, as they grow. */
import { statSync } from 'node:fs';
import { recordsSince } from '../../keeper/journal/index.ts';
import type { TdFiles } from '../../keeper/td-files.ts';
import { isTold, type ToldRecord } from '../../keeper/told.ts';

/** What comes to a journal that somebody else writes, after what there is of the life before. */
export class JournalReader {
  readonly #files: TdFiles;
  /** Which file was read last, and how much it held. */
  #seen = '';
  #seq = 0;

  constructor(files: TdFiles) {
    this.#files = files;
  }

  /** What is there already is told by nobody. */
  skip(): void {
    this.next();
  }

  next(): ToldRecord[] {
    // It is looked at before it is read: what comes in between is read twice rather than never.
    const file = statSync(this.#files.journal, { throwIfNoEntry: false });
    const seen = file === undefined ? '' : `${file.ino} ${file.size}`;
    if (seen === this.#seen && seen !== '') return [];
    const news = recordsSince(this.#files, this.#seq);
    this.#seen = seen;
    this.#seq = news.at(-1)?.seq ?? this.#seq;
    return news.filter(isTold);
  }
}
