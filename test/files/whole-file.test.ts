/** A file is written whole or not at all. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { prepareWholeFile, writeWholeFile } from '../../src/files/index.ts';
import { builtModule } from '../support/built.ts';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tdctl-whole-'));
  path = join(directory, 'report.html');
});
afterEach(() => rmSync(directory, { recursive: true }));

const over = (file = path) => ({ path: file, what: 'report', existing: 'replace' }) as const;
const never = (file = path) => ({ path: file, what: 'plan', existing: 'refuse' }) as const;
const text = (file = path) => readFileSync(file, 'utf8');
const modeOf = (file: string) => statSync(file).mode & 0o777;

/** Runs code in a process of its own whose files may not grow beyond some blocks of 512 or 1024 bytes. */
function limited(code: string): { stdout: string; status: number | null } {
  const script = `import { writeWholeFile } from ${JSON.stringify(builtModule('src/files/index.ts'))}; ${code}`;
  return spawnSync(
    'sh',
    ['-c', 'ulimit -f 8; exec "$0" --input-type=module -e "$1"', process.execPath, script],
    { encoding: 'utf8' },
  );
}

/** What process.kill() says is dead: a process of ours that has ended. */
const deadPid = () => spawnSync('true').pid;

describe('a file that replaces another', () => {
  test('has the whole content, and nothing is left beside it', async () => {
    writeFileSync(path, 'old');
    await writeWholeFile(over(), 'new'.repeat(100_000));
    expect(text()).toBe('new'.repeat(100_000));
    expect(readdirSync(directory)).toEqual(['report.html']);
  });

  test('keeps the mode of the old one; a new one has what the umask leaves', async () => {
    writeFileSync(path, 'old');
    chmodSync(path, 0o640);
    await writeWholeFile(over(), 'new');
    expect(modeOf(path)).toBe(0o640);
    const plain = join(directory, 'plain');
    writeFileSync(plain, '');
    await writeWholeFile(over(join(directory, 'fresh')), 'new');
    expect(modeOf(join(directory, 'fresh'))).toBe(modeOf(plain));
  });

  test('is the file that a link leads to, and the link stays', async () => {
    mkdirSync(join(directory, 'there'));
    const target = join(directory, 'there', 'target');
    symlinkSync('there/target', path);
    // At first the link leads to nothing.
    for (const content of ['first', 'second']) {
      await writeWholeFile(over(), content);
      expect([text(target), readlinkSync(path)]).toEqual([content, 'there/target']);
    }
  });

  test('stays as it was where the disk is full half way', () => {
    writeFileSync(path, 'old');
    const { stdout } = limited(
      `await writeWholeFile(${JSON.stringify(over())}, 'x'.repeat(100_000)).catch((error) => console.log(error.code, error.message));`,
    );
    expect(stdout).toContain(
      'TDCTL_E_NOT_WRITABLE the report cannot be written: a file may not become so large',
    );
    expect(text()).toBe('old');
    expect(readdirSync(directory)).toEqual(['report.html']);
  });

  test('is not replaced where it is write-protected', async (ctx) => {
    if (process.getuid?.() === 0) ctx.skip('root may write everywhere');
    writeFileSync(path, 'old');
    chmodSync(path, 0o444);
    await expect(writeWholeFile(over(), 'new')).rejects.toMatchObject({
      code: 'TDCTL_E_NOT_WRITABLE',
    });
    expect(text()).toBe('old');
  });

  test('takes away what killed writers of it have left, and nothing else', async () => {
    const leftover = `.report.html.${deadPid()}-0123abcd.tdctl-tmp`;
    const alive = `.report.html.${process.ppid}-0123abcd.tdctl-tmp`;
    const ofAnother = `.other.html.${deadPid()}-0123abcd.tdctl-tmp`;
    for (const name of [leftover, alive, ofAnother]) writeFileSync(join(directory, name), '');
    await writeWholeFile(over(), 'new');
    expect(readdirSync(directory).sort()).toEqual([alive, ofAnother, 'report.html'].sort());
  });

  test('may have the longest name that there is', async () => {
    const longest = join(directory, 'ü'.repeat(127));
    await writeWholeFile(over(longest), 'new');
    expect(text(longest)).toBe('new');
  });

  test.each([
    ['a directory', () => directory, /this is a directory/],
    ['a missing directory', () => join(directory, 'no', 'file'), /directory does not exist/],
    ['a file for a directory', () => join(path, 'file'), /not a directory/],
  ])('%s is refused before the work begins', async (_title, place, message) => {
    writeFileSync(path, '');
    await expect(prepareWholeFile(over(place()))).rejects.toMatchObject({
      code: 'TDCTL_E_NOT_WRITABLE',
      message: expect.stringMatching(message),
    });
  });

  test('links in a circle are refused', async () => {
    symlinkSync('report.html', path);
    await expect(writeWholeFile(over(), '')).rejects.toMatchObject({
      message: expect.stringContaining('in a circle'),
    });
  });
});

describe('a file that replaces none', () => {
  test('leaves what is there, also a link that leads nowhere', async () => {
    writeFileSync(path, 'mine');
    await expect(writeWholeFile(never(), 'new')).rejects.toMatchObject({ code: 'TDCTL_E_EXISTS' });
    expect(text()).toBe('mine');
    const link = join(directory, 'link');
    symlinkSync('nowhere', link);
    await expect(writeWholeFile(never(link), '')).rejects.toMatchObject({ code: 'TDCTL_E_EXISTS' });
    expect(readdirSync(directory).sort()).toEqual(['link', 'report.html']);
  });

  test('leaves what came while its content was made', async () => {
    const file = await prepareWholeFile(never());
    writeFileSync(path, 'mine');
    await expect(file.put('new')).rejects.toMatchObject({ code: 'TDCTL_E_EXISTS' });
    expect(text()).toBe('mine');
  });

  test('can be written again after a full disk', async () => {
    limited(
      `await writeWholeFile(${JSON.stringify(never())}, 'x'.repeat(100_000)).catch(() => 0);`,
    );
    expect(readdirSync(directory)).toEqual([]);
    await writeWholeFile(never(), 'new');
    expect(text()).toBe('new');
  });
});

describe('one writer at a time', () => {
  test('holds the place of a file until it is written or given up', async () => {
    const busy = { code: 'TDCTL_E_BUSY', exitCode: 4 };
    const first = await prepareWholeFile(over());
    await expect(prepareWholeFile(over())).rejects.toMatchObject(busy);
    await first.put('first');
    const second = await prepareWholeFile(over());
    const hardLink = join(directory, 'hard');
    linkSync(path, hardLink);
    await expect(prepareWholeFile(over(hardLink))).rejects.toMatchObject(busy);
    second.release();
    await writeWholeFile(over(hardLink), 'third');
    expect([text(), text(hardLink)]).toEqual(['first', 'third']);
  });
});

describe('what is no regular file', () => {
  test('is written as it is', async () => {
    await writeWholeFile(over('/dev/null'), 'new');
    await writeWholeFile(never('/dev/null'), 'new');
  });

  test('on a full disk is an error', async () => {
    for (const file of [over('/dev/full'), never('/dev/full')]) {
      await expect(writeWholeFile(file, 'new')).rejects.toMatchObject({
        code: 'TDCTL_E_NOT_WRITABLE',
        message: expect.stringContaining('no space is left'),
      });
    }
  });
});
