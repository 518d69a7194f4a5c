/** Help fits the terminal, is broken into lines once, and has the same headings everywhere. */
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { describe, expect, test } from 'vitest';
import { program } from '../../src/cli/program.ts';
import { cli, terminal } from '../support/cli.ts';

function pathsOf(command: CommandUnknownOpts, path: readonly string[] = []): string[][] {
  return [[...path], ...command.commands.flatMap((sub) => pathsOf(sub, [...path, sub.name()]))];
}

const paths = pathsOf((await program(terminal().io, () => undefined)) as CommandUnknownOpts);

describe.each(paths.map((path) => [path.join(' ') || 'tdctl', path] as const))('%s', (_, path) => {
  test.each([60, 80, 120, undefined])('%s columns', async (width) => {
    const { stdout, exitCode } = await cli([...path, '--help'], { width });
    expect(exitCode).toBe(0);
    const widest = width ?? 80;
    // A word alone in its line can be as long as it is: a fault, an expression for jq.
    const tooWide = stdout
      .split('\n')
      .filter(
        (line) => line.length > widest && /\S\s+\S/.test(line.trim().replace(/'[^']*'/g, 'x')),
      );
    expect(tooWide).toEqual([]);
  });

  test('has no line that ends before it must, and the same headings as all', async () => {
    const { stdout } = await cli([...path, '--help'], { width: 80 });
    expect(stdout).not.toMatch(/Exit status|^ +\$ /m);
    const [, description = ''] = stdout.split('\n\n');
    const lines = description.split('\n');
    for (const [at, line] of lines.slice(0, -1).entries()) {
      const [next = ''] = (lines[at + 1] ?? '').split(' ');
      expect(`${line} ${next}`.length, line).toBeGreaterThan(80);
    }
  });
});
