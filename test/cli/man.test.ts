/** Man pages, as the programs that print them read them. */
import { spawnSync } from 'node:child_process';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { expect, test } from 'vitest';
import { program } from '../../src/cli/program.ts';
import { cli, terminal } from '../support/cli.ts';

function pathsOf(command: CommandUnknownOpts, path: readonly string[] = []): string[][] {
  return [[...path], ...command.commands.flatMap((sub) => pathsOf(sub, [...path, sub.name()]))];
}

const paths = pathsOf((await program(terminal().io, () => undefined)) as CommandUnknownOpts);

/** Each warns of what it cannot read, and prints the page as text. */
const readers = [
  ['groff', ['-ww', '-man', '-Tascii', '-P-cbou']],
  ['mandoc', ['-T', 'lint', '-W', 'warning']],
] as const;
const installed = readers.filter(([name]) => spawnSync(name, ['--version']).error === undefined);
if (installed.length === 0) console.info('neither groff nor mandoc is installed: no page is read');

test.each(paths.map((path) => [path.join(' ') || 'tdctl', path] as const))(
  '%s',
  async (_, path) => {
    const { stdout, exitCode } = await cli(['man', ...path]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^\.TH "TDCTL/);
    for (const [reader, args] of installed) {
      const read = spawnSync(reader, [...args], { input: stdout, encoding: 'utf8' });
      expect(read.stderr, reader).toBe('');
      if (reader !== 'groff') continue;
      expect(read.stdout).toContain('NAME');
      const { stdout: help } = await cli([...path, '--help']);
      for (const [, option = ''] of help.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)) {
        expect(read.stdout).toContain(option);
      }
    }
  },
);

test('a command that there is not is refused with those there are', async () => {
  const { exitCode, stderr } = await cli(['man', 'trace', 'lin']);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('there is: lint');
});
