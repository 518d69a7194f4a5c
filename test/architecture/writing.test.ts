/** Files are written in one room, so that all of them are written in the same careful way. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => join('src', name));

/** What changes a file system, or can. */
const writers =
  /\b(?:appendFile|copyFile|cp|createWriteStream|ftruncate|link|mkdir|mkdtemp|rename|rm|rmdir|symlink|truncate|unlink|write|writeFile|writev)(?:Sync)?\b/;

/** These are no writers of files, and each says why. */
const exceptions: Readonly<Record<string, string>> = {
  'src/watch/listen.ts': 'removes the socket file that nobody serves any more',
  'src/cli/output/process-output.ts': 'writes to stdout and stderr, which others have opened',
  'src/diagnosis/doctor/read/kvm.ts': 'opens the device /dev/kvm as a VMM does',
};

const text = (file: string) => readFileSync(join(root, file), 'utf8');
const outside = files.filter((file) => !file.startsWith('src/files/') && !(file in exceptions));

/** The names that a file imports of node:fs and node:fs/promises. */
function namesOfFs(file: string): string[] {
  const imports = text(file).matchAll(/import ([^;]*?) from 'node:fs(?:\/promises)?'/g);
  return [...imports].flatMap(([, names = '']) => names.match(/\w+/g) ?? []);
}

/** What each open() of a file is given besides the path. */
function opensOf(file: string): string[] {
  const names = namesOfFs(file).filter((name) => name === 'open' || name === 'openSync');
  return names.flatMap((name) =>
    [...text(file).matchAll(new RegExp(`(?<![.\\w])${name}\\(([^;]*)`, 'g'))].map(
      ([, given = '']) => given,
    ),
  );
}

test('only src/files/ imports what writes, moves or removes files', () => {
  const found = outside.flatMap((file) =>
    namesOfFs(file)
      .filter((name) => writers.test(name))
      .map((name) => `${file}: ${name}`),
  );
  expect(found).toEqual([]);
});

test('elsewhere node:fs is imported by name, so that the names can be looked at', () => {
  const whole = /import (?:\* as )?\w+ from 'node:fs|import\('node:fs|require\('node:fs/;
  expect(outside.filter((file) => whole.test(text(file)))).toEqual([]);
});

test('elsewhere files are opened for reading', () => {
  const opens = outside.flatMap((file) => opensOf(file).map((given) => `${file}: ${given}`));
  expect(opens.length).toBeGreaterThan(2);
  expect(opens.filter((open) => !/'r'|O_RDONLY/.test(open))).toEqual([]);
});

test('no library opens a file for us', () => {
  expect(outside.filter((file) => /pino\.(?:destination|transport)/.test(text(file)))).toEqual([]);
});

test('the exceptions are there', () => {
  expect(Object.keys(exceptions).filter((file) => !files.includes(file))).toEqual([]);
});
