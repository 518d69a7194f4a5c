/** No output of a command may be an input, or a second output, by whichever name. */
import {
  closeSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fc, test as propertyTest } from '@fast-check/vitest';
import { afterAll, describe, expect, test } from 'vitest';
import { type NamedFile, NamedFiles } from '../../src/files/index.ts';
import { findTarget } from '../../src/files/target.ts';

const directory = mkdtempSync(join(tmpdir(), 'tdctl-named-'));
afterAll(() => rmSync(directory, { recursive: true }));

const at = (...parts: string[]) => join(directory, ...parts);
mkdirSync(at('d'));
writeFileSync(at('d', 'a'), '');
writeFileSync(at('d', 'b'), '');
symlinkSync('a', at('d', 'link-to-a'));
symlinkSync('d', at('link-to-d'));
linkSync(at('d', 'a'), at('hard-a'));
symlinkSync('d/new', at('link-to-new'));

/** Each row is one file by all its names. */
const files = [
  [at('d', 'a'), at('d', 'link-to-a'), at('link-to-d', 'a'), at('hard-a'), at('d', '.', 'a')],
  [at('d', 'b'), at('link-to-d', 'b'), relative(process.cwd(), at('d', 'b'))],
];
/** The same of a file that is not there yet. */
const fresh = [
  at('d', 'new'),
  at('link-to-d', 'new'),
  at('link-to-new'),
  at('d', '..', 'd', 'new'),
];

const named = (path: string): NamedFile => ({ path, by: `--${path}` });
const usage = expect.objectContaining({ code: 'TDCTL_E_USAGE', exitCode: 2 });

function refused(act: (named: NamedFiles) => void): unknown {
  try {
    act(new NamedFiles());
    return undefined;
  } catch (error) {
    return error;
  }
}

const anyName = (rows: readonly (readonly string[])[]) =>
  fc.constantFrom(...rows.flatMap((row, index) => row.map((path) => ({ path, index }))));

describe('files that one command names', () => {
  propertyTest.prop([anyName(files), anyName(files)])(
    'clash as input and output if and only if they are one file, in either order',
    (input, output) => {
      const expected = input.index === output.index ? usage : undefined;
      const inputFirst = refused((all) => {
        all.reads(named(input.path));
        all.writes(named(output.path));
      });
      const outputFirst = refused((all) => {
        all.writes(named(output.path));
        all.reads(named(input.path));
      });
      expect([inputFirst, outputFirst]).toEqual([expected, expected]);
    },
  );

  propertyTest.prop([anyName([...files, fresh]), anyName([...files, fresh])])(
    'clash as two outputs if and only if they are one file, also one that is not there yet',
    (one, other) => {
      const error = refused((all) => all.writes(named(one.path), named(other.path)));
      expect(error).toEqual(one.index === other.index ? usage : undefined);
    },
  );

  test('may be read twice', () => {
    expect(refused((all) => all.reads(named(at('d', 'a')), named(at('hard-a'))))).toBeUndefined();
  });

  test.each(['/dev/null', '/dev/stdout', '/dev/full', '/dev/fd/1', '/proc/self/fd/2'])(
    'may write %s twice, for nothing is lost there',
    (path) => {
      expect(refused((all) => all.writes(named(path), named(path)))).toBeUndefined();
    },
  );

  test('that cannot be looked at are left to those who open them', () => {
    const nowhere = named(at('no', 'such'));
    expect(refused((all) => all.reads(nowhere))).toBeUndefined();
    expect(refused((all) => all.writes(nowhere))).toBeUndefined();
  });
});

test('a descriptor of this process is known by all its names', () => {
  const fd = openSync(at('d', 'b'), 'r');
  for (const path of [`/dev/fd/${fd}`, `/proc/self/fd/${fd}`, `/proc/${process.pid}/fd/${fd}`]) {
    expect(findTarget(path)).toEqual({ kind: 'descriptor', fd });
  }
  closeSync(fd);
});
