/** Reads a journal: the records up to the first that is not whole, and what is wrong with the rest. */
import { readFileSync } from 'node:fs';
import { errnoOf } from '../../errors/errno.ts';
import { lineAt } from './line.ts';
import type { JournalRecord } from './records.ts';

export interface JournalRead {
  readonly records: readonly JournalRecord[];
  /** How many bytes they are. */
  readonly wholeBytes: number;
  /** Bytes of a last record that was cut off: its keeper died as it wrote it, or the disk was full. */
  readonly tornBytes: number;
  /** Set where what follows the records is neither whole nor cut off: somebody or something has changed it. */
  readonly corrupt: Corrupt | undefined;
}

export interface Corrupt {
  /** The line of the file, from 1. */
  readonly line: number;
  readonly byte: number;
  /** A clause about the record. */
  readonly why: string;
}

/** One that is not there has no records. */
export function readJournal(path: string): JournalRead {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const nothing = { records: [], wholeBytes: 0, tornBytes: 0 };
    const errno = errnoOf(error);
    if (errno === 'ENOENT') return { ...nothing, corrupt: undefined };
    const why = `the journal cannot be read (${errno ?? 'no errno'})`;
    return { ...nothing, corrupt: { line: 1, byte: 0, why } };
  }
  return parseJournal(bytes);
}

export function parseJournal(bytes: Buffer): JournalRead {
  const records: JournalRecord[] = [];
  let at = 0;
  const read = (rest: Partial<JournalRead> = {}): JournalRead => ({
    ...{ records, wholeBytes: at, tornBytes: 0, corrupt: undefined },
    ...rest,
  });
  while (at < bytes.length) {
    const line = lineAt(bytes, at);
    if (line.kind === 'torn') return read({ tornBytes: bytes.length - at });
    const why = line.kind === 'wrong' ? line.why : problemOf(line.value, records.at(-1)?.seq);
    if (line.kind === 'wrong' || why !== undefined) {
      return read({ corrupt: { line: records.length + 1, byte: at, why: why ?? '' } });
    }
    records.push(line.value as JournalRecord);
    at = line.next;
  }
  return read();
}

/** A record that is whole and no record of a journal, or not the next one. */
function problemOf(value: unknown, before: number | undefined): string | undefined {
  if (typeof value !== 'object' || value === null) return 'it is no object';
  const { seq, kind } = value as Partial<JournalRecord>;
  if (typeof seq !== 'number' || typeof kind !== 'string') return 'it has no number or no kind';
  if (before !== undefined && seq !== before + 1) {
    return `it has number ${seq}, and the one before has ${before}`;
  }
  return undefined;
}
