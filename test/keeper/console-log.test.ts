/** The log of what a guest prints. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { TdctlError } from '../../src/errors/index.ts';
import { ConsoleLog, type ConsoleLogOptions } from '../../src/keeper/console-log.ts';

const directory = mkdtempSync(join(tmpdir(), 'tdctl-console-'));
afterAll(() => rmSync(directory, { recursive: true }));

function logAt(name: string, options: Partial<ConsoleLogOptions> = {}) {
  const path = join(directory, name);
  const troubles: TdctlError[] = [];
  const log = new ConsoleLog({
    ...{ path, beforeWrite: () => {}, onTrouble: (error) => troubles.push(error) },
    ...options,
  });
  return { path, log, troubles, text: () => readFileSync(path, 'utf8') };
}

test('has what was printed at once, and so have those who listen', () => {
  const { log, text } = logAt('plain');
  const heard: string[] = [];
  const stop = log.subscribe((bytes) => heard.push(Buffer.from(bytes).toString()));
  log.print(Buffer.from('one\n'), 0);
  expect(log.sizeBytes).toBe(4);
  stop();
  log.print(Buffer.from('two\n'), 0);
  expect(text()).toBe('one\ntwo\n');
  expect(heard).toEqual(['one\n']);
});

test('says where bytes are missing that nobody has', () => {
  const { log, text } = logAt('gap');
  log.print(Buffer.from('one'), 7);
  log.print(Buffer.from('two'), 0);
  expect(text()).toMatch(/^one\r\n\[tdctl: 7 bytes .*\]\r\ntwo$/);
  expect(log.printedBytes).toBe(13);
});

test('is never longer than it may be, with the part before beside it', () => {
  const { log, path, text } = logAt('bounded', { mostBytes: 100 });
  for (let line = 0; line < 50; line += 1) log.print(Buffer.from(`line ${line}\n`), 0);
  const before = readFileSync(`${path}.1`, 'utf8');
  expect(Math.max(before.length, text().length)).toBeLessThanOrEqual(100);
  expect((before + text()).endsWith('line 48\nline 49\n')).toBe(true);
  expect(log.sizeBytes).toBe(text().length);
  expect(existsSync(`${path}.2`)).toBe(false);
});

test('goes on after a full disk, tells of it once, and says how much is missing', () => {
  let isFull = false;
  const { log, troubles, text } = logAt('full', {
    beforeWrite: () => {
      if (isFull) throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
    },
  });
  log.print(Buffer.from('one\n'), 0);
  isFull = true;
  log.print(Buffer.from('lost\n'), 0);
  log.print(Buffer.from('too\n'), 0);
  isFull = false;
  log.print(Buffer.from('two\n'), 0);
  expect(text()).toMatch(/^one\n\r\n\[tdctl: 9 bytes .*\]\r\ntwo\n$/);
  expect(troubles).toHaveLength(1);
});
