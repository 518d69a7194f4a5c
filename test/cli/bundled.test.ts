/** The program of the bundle keeps what V8 compiled while a command ran, and the next run of it starts with that. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc, test as propertyTest } from '@fast-check/vitest';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { programBehind, withProgramBehind } from '../../src/cli/bundled/behind.mjs';
import { keptCodeBytes, keptCodePath, readKeptCode } from '../../src/cli/bundled/kept-code.ts';
import { projectRoot } from '../support/built.ts';
import { tdctl } from '../support/tdctl.ts';

let cache: string;
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'tdctl-cache-'));
});
afterEach(() => rmSync(cache, { recursive: true }));

const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  tdctl(args, { env: { XDG_CACHE_HOME: cache, NODE_COMPILE_CACHE: '', ...env } });
const nameFor = (word: string) => `${word}-${process.version}-${process.arch}`;
const pathFor = (word: string) => keptCodePath(join(cache, 'tdctl'), word);
const build = () => JSON.parse(readFileSync('dist/package.json', 'utf8')).build as string;
const installed = join(projectRoot, 'dist/chunks');
const read = (word: string) =>
  readKeptCode(pathFor(word), { build: build(), directory: installed });
const explain = ['explain', '0xC000010000000044'];

test('a command keeps the functions that it ran, and the next run of it has nothing to add', async () => {
  const first = await run(explain);
  const bytes = readFileSync(pathFor('explain'));
  const second = await run(explain);
  expect(second).toEqual(first);
  expect(readFileSync(pathFor('explain')).equals(bytes)).toBe(true);
  const kept = read('explain');
  expect(kept).toMatchObject({ reached: ['success'] });
  expect([...(kept?.code.keys() ?? [])]).toContain('start.js');
});

test('what a refused run kept makes room for that of one that did its work', async () => {
  const refused = await run(['explain', 'nothing-of-the-kind']);
  expect(refused.exitCode).toBe(3);
  expect(read('explain')).toMatchObject({ reached: [] });
  await run(explain);
  expect(read('explain')).toMatchObject({ reached: ['success'] });
});

test('a file that is damaged, of another build or of another installation, is replaced, and the answer is the same', async () => {
  const answer = await run(explain);
  const bytes = readFileSync(pathFor('explain'));
  const others = {
    empty: '',
    short: bytes.subarray(0, bytes.length / 2),
    'another build': Buffer.from(
      bytes.toString('latin1').replace(build(), 'f'.repeat(64)),
      'latin1',
    ),
    'of another installation': Buffer.from(
      bytes.toString('latin1').replace(installed, installed.replace('chunks', 'chunkz')),
      'latin1',
    ),
    'not of V8': Buffer.concat([bytes.subarray(0, 4096), Buffer.alloc(bytes.length - 4096)]),
  };
  for (const [what, content] of Object.entries(others)) {
    writeFileSync(pathFor('explain'), content);
    expect(await run(explain), what).toEqual(answer);
    expect(read('explain'), what).toMatchObject({ reached: ['success'] });
  }
});

test('nothing is kept of a word that is no command, nor where Node is told to keep nothing', async () => {
  await run(['nonsense']);
  await run(['--version'], { NODE_DISABLE_COMPILE_CACHE: '1' });
  const names = readdirSync(cache, { recursive: true, encoding: 'utf8' });
  expect(names.filter((name) => name.endsWith(nameFor('nonsense')))).toEqual([]);
  expect(names.filter((name) => name.endsWith(nameFor('tdctl')))).toEqual([]);
});

propertyTest.prop([
  fc.dictionary(fc.string(), fc.uint8Array({ minLength: 1 }), { minKeys: 1 }),
  fc.array(fc.string()),
  fc.nat(),
])(
  'kept code is read as it was written, and not at all where it is cut off',
  (code, reached, cutAt) => {
    const path = join(cache, 'kept');
    const kept = {
      code: new Map(Object.entries(code).map(([file, bytes]) => [file, Buffer.from(bytes)])),
      reached,
    };
    const origin = { build: 'this', directory: '/here' };
    const bytes = keptCodeBytes(origin, kept);
    writeFileSync(path, bytes);
    expect(readKeptCode(path, origin)).toEqual(kept);
    expect(readKeptCode(path, { ...origin, build: 'another' })).toBeUndefined();
    expect(readKeptCode(path, { ...origin, directory: '/there' })).toBeUndefined();
    writeFileSync(path, bytes.subarray(0, cutAt % bytes.length));
    expect(readKeptCode(path, origin)).toBeUndefined();
  },
);

propertyTest.prop([
  fc.array(fc.constantFrom('\n', '*', '/', '*/', '/*', ' program', 'x')),
  fc.array(fc.constantFrom('\n', '/*', 'x')),
])(
  'a program behind its loader is read as it was, with the line that it begins in',
  (parts, head) => {
    const text = parts.join('');
    const loader = head.join('');
    const file = withProgramBehind(loader, { text, build: 'this' });
    const { lineOffset, ...read } = programBehind(file);
    expect(read).toEqual({ text, build: 'this' });
    expect(file.split('\n').slice(lineOffset).join('\n')).toBe(
      `${text.replaceAll('*/', '*~/')}\n*/\n`,
    );
    expect(file.indexOf('*/', loader.length + 1)).toBe(file.length - 3);
  },
);

test.each(['a*~/b', 'a\n/* program b'])('a program with %j in it is refused', (text) => {
  expect(() => withProgramBehind('', { text, build: 'this' })).toThrow('the program has');
});
