import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc, test as propertyTest } from '@fast-check/vitest';
import { afterAll, expect, test } from 'vitest';
import { readOpenUpTo } from '../../src/documents/read-bytes.ts';

const directory = mkdtempSync(join(tmpdir(), 'tdctl-read-'));
afterAll(() => rmSync(directory, { recursive: true }));

function read(path: string, limitBytes: number): Buffer {
  const fd = openSync(path, 'r');
  try {
    return readOpenUpTo(fd, limitBytes);
  } finally {
    closeSync(fd);
  }
}

const chunk = 64 * 1024;
const sizes = fc.oneof(
  fc.nat(200),
  fc.integer({ min: chunk - 2, max: chunk + 2 }),
  fc.nat(5 * chunk),
);

propertyTest.prop([sizes, sizes])('gives the first bytes of a file, and no more', (size, limit) => {
  const path = join(directory, 'file');
  const content = Buffer.from(Uint32Array.from({ length: size / 4 + 1 }, (_, at) => at).buffer);
  writeFileSync(path, content.subarray(0, size));
  expect(read(path, limit).equals(content.subarray(0, Math.min(size, limit)))).toBe(true);
});

test('gives all of a file of /proc, whose size says 0, and what it gave stays as it was', () => {
  const first = read('/proc/self/maps', 2 ** 24);
  const text = first.toString();
  expect(text.split('\n').length).toBeGreaterThan(100);
  const status = read('/proc/self/status', 2 ** 24);
  expect(status.toString()).toContain(readFileSync('/proc/self/comm', 'utf8').trim());
  expect(first.toString()).toBe(text);
});
