/** The journal of one life, for the keeper that writes it. */
import { notWritable, type OutputFile } from '../../files/not-writable.ts';
import { AppendedFile } from '../../files/owned-file.ts';
import { type Moment, momentNow } from '../moment.ts';
import { lineOf } from './line.ts';
import type { JournalBody, JournalRecord } from './records.ts';

export interface JournalFile {
  readonly files: { readonly journal: string };
  /** Comes before each record, and may throw the error of a system call. */
  readonly beforeWrite: (file: OutputFile) => void;
}

export class Journal {
  readonly #journal: JournalFile;
  readonly #file: AppendedFile;
  #lastSeq: number;

  /**
   * Begins the journal of a life, after the one before was set aside (OwnedTd.beginLife).
   *
   * @param lastSeq of the life before.
   * @throws TdctlError TDCTL_E_NOT_WRITABLE.
   */
  static begin(file: JournalFile, lastSeq: number): Journal {
    return new Journal(file, lastSeq);
  }

  /**
   * Goes on with the journal of a life that another keeper has begun.
   *
   * @param wholeBytes of it stay; what follows was cut off as that one died.
   * @throws TdctlError TDCTL_E_NOT_WRITABLE.
   */
  static resume(
    file: JournalFile,
    { lastSeq, wholeBytes }: { readonly lastSeq: number; readonly wholeBytes: number },
  ): Journal {
    return new Journal(file, lastSeq, wholeBytes);
  }

  private constructor(file: JournalFile, lastSeq: number, wholeBytes = 0) {
    this.#journal = file;
    this.#lastSeq = lastSeq;
    this.#file = new AppendedFile(this.#output, wholeBytes);
  }

  /** The number of the last record. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  /**
   * @param body may have the moment of one that was written elsewhere before.
   * @param flush has the record on the disk when this returns.
   * @throws TdctlError TDCTL_E_NOT_WRITABLE: the record is not in the journal, and the next may be tried.
   */
  append(
    body: JournalBody & Partial<Moment>,
    { flush }: { readonly flush: boolean },
  ): JournalRecord {
    const record: JournalRecord = { seq: this.#lastSeq + 1, ...momentNow(), ...body };
    try {
      this.#journal.beforeWrite(this.#output);
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
    return { path: this.#journal.files.journal, what: 'journal of the TD' };
  }
}
