/** A file that grows line by line: what is in it when writing fails, and who may write it. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  linkSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { TdctlError } from '../../src/errors/index.ts';
import { StreamFile, type StreamFileOptions, writeWholeFile } from '../../src/files/index.ts';
import { builtModule } from '../support/built.ts';

let directory: string;
let path: string;
let failures: TdctlError[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tdctl-stream-'));
  path = join(directory, 'a.trace');
  failures = [];
});
afterEach(() => rmSync(directory, { recursive: true }));

const open = (options: Partial<StreamFileOptions> = {}) =>
  StreamFile.open({
    path,
    what: 'trace',
    existing: 'overwrite',
    flush: 'idle',
    onFailure: (error) => failures.push(error),
    ...options,
  });
const text = (file = path) => readFileSync(file, 'utf8');
const built = JSON.stringify(builtModule('src/files/index.ts'));

describe('a stream', () => {
  test('with `each` has the line before write() returns', async () => {
    const file = await open({ flush: 'each', existing: 'append' });
    file.write('one');
    expect(text()).toBe('one\n');
    file.write('two');
    expect(text()).toBe('one\ntwo\n');
    await file.end();
  });

  test('appends to what is there, or writes over it', async () => {
    writeFileSync(path, 'old\n');
    for (const existing of ['append', 'overwrite'] as const) {
      const file = await open({ existing });
      file.write('new');
      await file.end();
      expect(text()).toBe(existing === 'append' ? 'old\nnew\n' : 'new\n');
    }
  });

  /** Writes 5,000 records to a file that takes 4 KiB. */
  function fillDisk(record: string) {
    const lines = `for (let at = 0; at < 5000; at++) file.write(${record});`;
    const script = `import { StreamFile } from ${built};
      const failures = [];
      const file = await StreamFile.open({ path: ${JSON.stringify(path)}, what: 'trace',
        existing: 'append', flush: 'idle', onFailure: (error) => failures.push(error.code) });
      ${lines} await file.end(); console.log(failures.join());`;
    writeFileSync(path, 'before\n');
    const { stdout } = spawnSync(
      'sh',
      ['-c', 'ulimit -f 8; exec "$0" --input-type=module -e "$1"', process.execPath, script],
      { encoding: 'utf8' },
    );
    expect(stdout).toBe('TDCTL_E_NOT_WRITABLE\n');
    const written = text().split('\n');
    expect(written.pop()).toBe('');
    return written;
  }

  test('ends with a whole line where the disk is full half way, and tells it once', () => {
    const written = fillDisk(`'line ' + at`);
    expect(written.length).toBeGreaterThan(100);
    expect(written).toEqual(['before', ...written.slice(1).map((_, at) => `line ${at}`)]);
  });

  test('ends with a whole record where its other lines are indented', () => {
    const written = fillDisk(`'call ' + at + '\\n      a\\n      b'`);
    expect(written.length).toBeGreaterThan(100);
    expect(written.slice(-3)).toEqual([expect.stringMatching(/^call/), '      a', '      b']);
  });

  test('writes nothing more after a failure, and can be ended again', async () => {
    const file = await open({ path: '/dev/full', flush: 'each' });
    file.write('one');
    file.write('two');
    await file.end();
    await file.end();
    expect(failures).toMatchObject([{ code: 'TDCTL_E_NOT_WRITABLE', place: '/dev/full' }]);
  });
});

describe('one writer at a time', () => {
  const busy = { code: 'TDCTL_E_BUSY', exitCode: 4 };

  test('a second one is refused by whichever name, and nothing is lost', async () => {
    const file = await open({ flush: 'each' });
    file.write('one');
    symlinkSync('a.trace', join(directory, 'link'));
    linkSync(path, join(directory, 'hard'));
    for (const name of ['a.trace', 'link', 'hard']) {
      const other = join(directory, name);
      await expect(open({ path: other })).rejects.toMatchObject(busy);
      const whole = { path: other, what: 'chart', existing: 'replace' } as const;
      await expect(writeWholeFile(whole, 'x')).rejects.toMatchObject(busy);
    }
    file.write('two');
    await file.end();
    expect(text()).toBe('one\ntwo\n');
    await (await open()).end();
  });

  test('a file that could not be opened is free again', async () => {
    const no = join(directory, 'no', 'file');
    await expect(open({ path: no })).rejects.toMatchObject({ code: 'TDCTL_E_NOT_WRITABLE' });
    await expect(open({ path: directory })).rejects.toMatchObject({ code: 'TDCTL_E_NOT_WRITABLE' });
    await (await open()).end();
  });

  test('a process that was killed holds nothing', async () => {
    const script = `import { StreamFile } from ${built};
      const file = await StreamFile.open({ path: ${JSON.stringify(path)}, what: 'trace',
        existing: 'overwrite', flush: 'each', onFailure: () => 0 });
      file.write('mine'); console.log('open'); setInterval(() => file, 1000);`;
    const other = spawn(process.execPath, ['--input-type=module', '-e', script]);
    await once(other.stdout, 'data');
    await expect(open()).rejects.toMatchObject(busy);
    expect(text()).toBe('mine\n');
    other.kill('SIGKILL');
    await once(other, 'exit');
    await (await open()).end();
    expect(readdirSync(directory)).toEqual(['a.trace']);
  });
});

describe('a FIFO', () => {
  beforeEach(() => void spawnSync('sh', ['-c', 'mkfifo "$0"', path]));

  test('is waited for until a signal ends it', async () => {
    const controller = new AbortController();
    const opening = open({ signal: controller.signal });
    controller.abort();
    await expect(opening).rejects.toMatchObject({ code: 'TDCTL_E_INTERRUPTED' });
  });

  test('gives its reader everything, also more than a pipe holds', async () => {
    const reader = spawn('sh', ['-c', 'sleep 0.1; wc -c < "$0"', path]);
    const count = once(reader.stdout, 'data');
    const file = await open();
    for (let at = 0; at < 50_000; at++) file.write('0123456');
    await file.end();
    expect(Number(String(await count))).toBe(400_000);
    expect(failures).toEqual([]);
  });

  test('whose reader goes away is a failure, and no end of the process', async () => {
    const reader = spawn('sh', ['-c', 'read line < "$0"', path]);
    const gone = once(reader, 'exit');
    const file = await open({ flush: 'each' });
    file.write('one');
    await gone;
    file.write('two');
    await file.end();
    expect(failures).toMatchObject([{ message: expect.stringContaining('reader has gone') }]);
  });
});

test('an end that others have written beyond is not cut', async () => {
  const file = await open({ flush: 'each' });
  file.write('one');
  appendFileSync(path, 'theirs\n');
  await file.end();
  expect(text()).toBe('one\ntheirs\n');
});
