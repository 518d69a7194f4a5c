/** The file that a trace goes to. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { TdctlError } from '../../src/errors/index.ts';
import { type TraceRecord, TraceWriter, traceJsonLine, traceText } from '../../src/trace/index.ts';

const directory = mkdtempSync(join(tmpdir(), 'tdctl-writer-'));
afterAll(() => rmSync(directory, { recursive: true }));

const records: readonly TraceRecord[] = [
  { kind: 'header', version: 1, host: 'sim', kernel: 'upstream-7.3', command: ['a b'] },
  { kind: 'close', object: 'vm#1' },
  { kind: 'end', exit: { signal: 'SIGKILL' } },
];

const failures: TdctlError[] = [];
const open = (path: string) =>
  TraceWriter.open({ path, onFailure: (error) => failures.push(error) });

async function writtenTo(path: string): Promise<string> {
  const writer = await open(path);
  for (const record of records) writer.write(record);
  await writer.end();
  return readFileSync(path, 'utf8');
}

describe('a trace file', () => {
  test('is text, or JSON lines where its name ends in .jsonl', async () => {
    expect(await writtenTo(join(directory, 'a.trace'))).toBe(
      `${records.map(traceText).join('\n')}\n`,
    );
    expect(await writtenTo(join(directory, 'a.jsonl'))).toBe(
      `${records.map(traceJsonLine).join('\n')}\n`,
    );
  });

  test('is written over', async () => {
    const path = join(directory, 'old.trace');
    writeFileSync(path, '~'.repeat(10_000));
    expect(await writtenTo(path)).not.toContain('~');
  });

  test('holds all of a long run', async () => {
    const path = join(directory, 'long.trace');
    const writer = await open(path);
    for (let at = 0; at < 20_000; at++) writer.write({ kind: 'close', object: `vm#${at}` });
    await writer.end();
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    expect([lines.length, lines.at(-1)]).toEqual([20_000, '-- last close of vm#19999']);
  });

  test('shows what has happened while the run goes on', async () => {
    const path = join(directory, 'followed.trace');
    const writer = await open(path);
    writer.write({ kind: 'close', object: 'vm#1' });
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    expect(readFileSync(path, 'utf8')).toBe('-- last close of vm#1\n');
    await writer.end();
  });

  test('that cannot be opened is an error before the run begins', async () => {
    const path = join(directory, 'no', 'such', 'a.trace');
    await expect(open(path)).rejects.toMatchObject({
      code: 'TDCTL_E_NOT_WRITABLE',
      place: path,
      exitCode: 1,
    });
  });

  test('on a full disk does not disturb the run, and tells it once', async () => {
    const writer = await open('/dev/full');
    for (let at = 0; at < 20_000; at++) writer.write({ kind: 'close', object: `vm#${at}` });
    await writer.end();
    expect(failures).toMatchObject([{ code: 'TDCTL_E_NOT_WRITABLE', place: '/dev/full' }]);
    expect(failures[0]?.message).toContain('no space is left');
  });
});
