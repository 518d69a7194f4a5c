/** The file that a trace goes to. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { TdctlError } from '../../src/errors/index.ts';
import { type TraceRecord, TraceWriter, traceJsonLine, traceText } from '../../src/trace/index.ts';

const directory = mkdtempSync(join(tmpdir(), 'tdctl-writer-'));
afterAll(() => rmSync(directory, { recursive: true }));

const records: readonly TraceRecord[] = [
  { kind: 'header', version: 1, host: 'sim', kernel: 'upstream-7.3', command: ['a b'] },
  { kind: 'close', object: 'vm#1' },
  { kind: 'end', exit: { signal: 'SIGKILL' } },
];

function writtenTo(path: string): string {
  const writer = new TraceWriter(path);
  for (const record of records) writer.write(record);
  writer.end();
  return readFileSync(path, 'utf8');
}

function errorOf(act: () => unknown): TdctlError {
  try {
    act();
  } catch (error) {
    if (error instanceof TdctlError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('a trace file', () => {
  test('is text, or JSON lines where its name ends in .jsonl', () => {
    expect(writtenTo(join(directory, 'a.trace'))).toBe(`${records.map(traceText).join('\n')}\n`);
    expect(writtenTo(join(directory, 'a.jsonl'))).toBe(
      `${records.map(traceJsonLine).join('\n')}\n`,
    );
  });

  test('is written over', () => {
    const path = join(directory, 'old.trace');
    writeFileSync(path, '~'.repeat(10_000));
    expect(writtenTo(path)).not.toContain('~');
  });

  test('holds all of a long run', () => {
    const path = join(directory, 'long.trace');
    const writer = new TraceWriter(path);
    for (let at = 0; at < 20_000; at++) writer.write({ kind: 'close', object: `vm#${at}` });
    writer.end();
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    expect([lines.length, lines.at(-1)]).toEqual([20_000, '-- last close of vm#19999']);
  });

  test('shows what has happened while the run goes on', async () => {
    const path = join(directory, 'followed.trace');
    const writer = new TraceWriter(path);
    writer.write({ kind: 'close', object: 'vm#1' });
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    expect(readFileSync(path, 'utf8')).toBe('-- last close of vm#1\n');
    writer.end();
  });

  test('that cannot be opened is an error before the run begins', () => {
    const path = join(directory, 'no', 'such', 'a.trace');
    const error = errorOf(() => new TraceWriter(path));
    expect(error).toMatchObject({ code: 'TDCTL_E_NOT_WRITABLE', place: path, exitCode: 1 });
  });

  test('on a full disk does not disturb the run, and tells at its end', () => {
    const writer = new TraceWriter('/dev/full');
    for (let at = 0; at < 20_000; at++) writer.write({ kind: 'close', object: `vm#${at}` });
    const error = errorOf(() => writer.end());
    expect(error).toMatchObject({ code: 'TDCTL_E_NOT_WRITABLE', place: '/dev/full' });
    expect(error.message).toContain('not complete');
  });
});
