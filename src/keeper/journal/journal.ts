/** The journal of one life, for the keeper that writes it. */
import { notWritable } from '../../files/not-writable.ts';
import { AppendedFile } from '../../files/owned-file.ts';
import { momentNow } from '../moment.ts';
import type { OwnedTd } from '../td-directory.ts';
import { lineOf } from './line.ts';
import type { JournalBody, JournalRecord } from './records.ts';

export class Journal {
  readonly #owned: OwnedTd;
  readonly #file: AppendedFile;
  #lastSeq: number;

  /**
   * Begins the journal of a life, after {@link OwnedTd.beginLife} has set the one before aside.
   *
   * @param lastSeq of the life before.
   * @throws TdctlError TDCTL_E_NOT_WRITABLE.
   */
  static begin(owned: OwnedTd, lastSeq: number): Journal {
    return new Journal(owned, lastSeq);
  }

  /**
   * Goes on with the journal of a life that another keeper has begun.
   *
   * @param wholeBytes of it stay; what follows was cut off as that one died.
   * @throws TdctlError TDCTL_E_NOT_WRITABLE.
   */
  static resume(
    owned: OwnedTd,
    { lastSeq, wholeBytes }: { readonly lastSeq: number; readonly wholeBytes: number },
  ): Journal {
    return new Journal(owned, lastSeq, wholeBytes);
  }

  private constructor(owned: OwnedTd, lastSeq: number, wholeBytes = 0) {
    this.#owned = owned;
    this.#lastSeq = lastSeq;
    this.#file = new AppendedFile(this.#output, wholeBytes);
  }

  /** The number of the last record. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  /**
   * @param flush has the record on the disk when this returns.
   * @throws TdctlError TDCTL_E_NOT_WRITABLE: the record is not in the journal, and the next may be tried.
   */
  append(body: JournalBody, { flush }: { readonly flush: boolean }): JournalRecord {
    const record: JournalRecord = { seq: this.#lastSeq + 1, ...momentNow(), ...body };
    try {
      this.#owned.beforeWrite(this.#output);
    } catch (cause) {
      throw notWritable(this.#output, cause);
    }
    this.#file.append(lineOf(record), { flush });
    this.#lastSeq = record.seq;
    return record;
  }

  close(): void {
    this.#file.close();
  }

  get #output() {
    return { path: this.#owned.files.journal, what: 'journal of the TD' };
  }
}
