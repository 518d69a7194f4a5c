/**
 * The last record of a journal without the ones before it, for whoever reads a thousand journals. It takes the length
 * of the line for proof that it is whole; {@link readJournal} looks at the checksums too.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { JournalRecord } from './records.ts';

/** The last record of a life that has ended is short. */
const tailBytes = 4096;
const lineEnd = 0x0a;
const tail = Buffer.alloc(tailBytes);

/** @returns undefined where there is none, or it is longer than one that ends a life. */
export function lastRecordOf(path: string): JournalRecord | undefined {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return undefined;
  }
  try {
    const { size } = fstatSync(fd);
    const length = readSync(fd, tail, 0, tailBytes, Math.max(0, size - tailBytes));
    return lastLineOf(tail.subarray(0, length), length === size);
  } catch {
    return undefined;
  } finally {
    closeSync(fd);
  }
}

function lastLineOf(bytes: Buffer, isWhole: boolean): JournalRecord | undefined {
  // What follows the last line end is a record that was cut off.
  const end = bytes.lastIndexOf(lineEnd);
  const before = end <= 0 ? -1 : bytes.lastIndexOf(lineEnd, end - 1);
  if (end === -1 || (before === -1 && !isWhole)) return undefined;
  const [line, length, json = ''] =
    /^[0-9a-f]{8} (\d+) (.*)$/s.exec(bytes.toString('utf8', before + 1, end)) ?? [];
  if (line === undefined || Number(length) !== Buffer.byteLength(json)) return undefined;
  try {
    return JSON.parse(json) as JournalRecord;
  } catch {
    return undefined;
  }
}
