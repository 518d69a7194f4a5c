/** What a command prints fits the terminal; into a pipe it prints rows and lines whole. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import stringWidth from 'string-width';
import { afterAll, describe, expect, test } from 'vitest';
import { terminalWidth } from '../../src/cli/io.ts';
import { layOut } from '../../src/cli/output/layout.ts';
import { cellMark, columns, tableMark } from '../../src/cli/output/table.ts';
import { cli } from '../support/cli.ts';

const scratch = mkdtempSync(join(tmpdir(), 'tdctl-widths-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const hello = 'examples/hello.yaml';
const trace = join(scratch, 'hello.trace');
const commands: readonly (readonly string[])[] = [
  ['plan', hello, '--host', 'sim'],
  ['run', hello, '--host', 'sim', '--until', 'runnable', '--trace', trace],
  ['run', hello, '--host', 'sim', '--fault', 'TDH.MNG.KEY.CONFIG=TDX_KEY_GENERATION_FAILED'],
  ['trace', 'lint', trace, '--kernel', 'series-v9'],
  ['fit', hello, '--hosts', 'sim:spr-1.5', 'sim:gnr-2.0'],
  ['footprint', '--vcpus', '4', '--max-vcpus', '8', '--vms', '400'],
  ['rehearse', hello, '--kernel', 'rfc-migration-v2'],
  ['rehearse', hello, '--compare', 'upstream-7.3,rfc-migration-v2'],
  ['host', '--host', 'sim'],
  ['kernels'],
  ['kernels', 'rfc-migration-v2'],
  ['explain', 'ENOSPC', 'KVM_TDX_INIT_VM'],
  ['explain', '--list'],
  ['explain', 'HKID'],
  ['doctor'],
  ['graph'],
  ['graph', 'td-lifecycle', '--paths'],
  ['measure', 'OVMF.fd'],
  ['list'],
];

/** A word alone in its line, behind a bullet or a label, is left whole: a path, a name of the kernel. */
function isOneWord(line: string): boolean {
  return /^\s*(?:\S{1,8} +)?\S+$/.test(line);
}

describe.each(commands.map((args) => [args.join(' ').replace(scratch, ''), args] as const))(
  'tdctl %s',
  (_, args) => {
    test.each([60, 80, 120, 200])('%d columns', async (width) => {
      const { stdout, stderr } = await cli(args, { width });
      expect(stdout + stderr).not.toBe('');
      for (const mark of [tableMark, cellMark]) expect(stdout + stderr).not.toContain(mark);
      const tooWide = (stdout + stderr)
        .split('\n')
        .filter((line) => stringWidth(line) > width && !isOneWord(line));
      expect(tooWide).toEqual([]);
    });
  },
);

test('a pipe gets each row of a table in one line', async () => {
  const { stdout } = await cli(['explain', '--list']);
  expect(stdout).toMatch(/^vmm\.vcpus-above-maximum +\S.* QEMU ends$/m);
});

test('a hash is broken into equal groups, and a command behind backslashes', () => {
  const hash = '0123456789abcdef'.repeat(6);
  expect(layOut(columns([['MRTD', hash]]), 60)).toBe(
    `  MRTD  ${hash.slice(0, 48)}\n        ${hash.slice(48)}\n`,
  );
  expect(layOut("  tdctl plan td.yaml -o json | jq 'a b c d e'", 36)).toBe(
    "  tdctl plan td.yaml -o json | jq \\\n      'a b c d e'",
  );
});

test('COLUMNS goes before what a terminal says, and a pipe has no width', () => {
  expect(terminalWidth({ isTTY: true, columns: 100 }, {})).toBe(100);
  expect(terminalWidth({ isTTY: true, columns: 100 }, { COLUMNS: '60' })).toBe(60);
  expect(terminalWidth({ isTTY: true, columns: 0 }, { COLUMNS: 'many' })).toBe(80);
  expect(terminalWidth({ columns: 100 }, { COLUMNS: '60' })).toBeUndefined();
});
