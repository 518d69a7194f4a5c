/** What was typed is quoted in the answer, and may be anything. */
import { test as property } from '@fast-check/vitest';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { comparisonPage } from '../../src/cli/rehearse/comparison-page.ts';
import { cli } from '../support/cli.ts';

const red = '\u001b[31m';

test.each([
  ['an option', ['plan', `--no${red}`]],
  ['a command', [`pla${red}`]],
  ['a value', ['plan', 'td.yaml', '-o', `json${red}`]],
  ['an option of two words', ['trace', 'lint', `--kern${red}=x`, 'file']],
])('%s with a control character is shown without it', async (_, args) => {
  const { exitCode, stderr } = await cli(args);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('[31m');
  expect(stderr).not.toContain('\u001b');
});

test('a suggestion stands on a line of its own', async () => {
  expect((await cli(['plan', '--kernle', 'x'])).stderr).toMatch(
    /^error: .*'--kernle'\n\(Did you mean --kernel\?\)\n/,
  );
});

test('so does an answer to a habit of another program', async () => {
  expect((await cli(['plan', 'td.yaml', '--json'])).stderr).toMatch(
    /^error: .*'--json'\nhint: that is `-o json`\n/,
  );
  expect((await cli(['plan', '--json\nhint: x'])).stderr).toMatch(
    /^error: .*'--json\\u\{a\}hint: x'\n/,
  );
});

property.prop([
  fc.array(fc.constantFrom('`', '``', ' ', 'a', "'", '|', '*')).map((all) => all.join('')),
])('the page of the comparison has the name of the scenario in one code span', (name) => {
  const line = comparisonPage([], `x${name}`)
    .split('\n')
    .find((each) => each.startsWith('Made by ')) as string;
  // A code span ends with the first run of as many backticks as it began with.
  const fence = (/^Made by (`+)/.exec(line) as RegExpExecArray)[1] as string;
  const inside = line.slice('Made by '.length + fence.length);
  const end = [...inside.matchAll(/`+/g)].find(([run]) => run === fence)?.index;
  expect(inside.slice(0, end)).toMatch(/^tdctl rehearse .* --compare all -o markdown$/);
  expect(inside.slice((end ?? 0) + fence.length)).toMatch(/^; do not edit/);
});

const inJson = ['-o', 'json'];

test.each<[string, string[], Partial<Record<'place' | 'message' | 'hint', string>>]>([
  ['an unknown option', ['plan', 'td.yaml', '--no', ...inJson], { place: '--no' }],
  ['the option stands before it', ['plan', ...inJson, 'td.yaml', '--no'], { place: '--no' }],
  ['a slip', ['plan', '--kernle', 'x', ...inJson], { hint: 'did you mean --kernel?' }],
  ['a missing argument', ['plan', ...inJson], { message: "missing required argument 'spec'" }],
  ['too many arguments', ['measure', 'a.fd', 'b.fd', '--output=json'], {}],
  ['a bad choice', ['measure', 'a.fd', '--order', 'no', ...inJson], { place: '--order' }],
  ['an option without its value', ['plan', 'td.yaml', ...inJson, '--host'], { place: '--host' }],
  ['no subcommand', ['trace', ...inJson], {}],
  ['an unknown subcommand', ['trace', 'lin', ...inJson], {}],
  ['an unknown command', ['plam', ...inJson], { message: 'there is no command `plam`' }],
  ['an option that changes nothing', ['host', '--room', 'x', 'diff', 'a', 'b', ...inJson], {}],
  ['attached', ['plan', '--no', '-ojson'], { place: '--no' }],
])('%s is one line of data under -o json', async (_, args, expected) => {
  const { exitCode, stdout, stderr } = await cli(args);
  expect(exitCode).toBe(2);
  expect(stdout).toBe('');
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  const { error } = JSON.parse(stderr);
  expect(error).toMatchObject({ code: 'TDCTL_E_USAGE', exitCode: 2, ...expected });
  expect(error.message).not.toBe('');
  expect(error.hint).not.toBeNull();
});

test('the words of another program choose no format', async () => {
  const { stderr } = await cli(['exec', '--no', '--', 'true', '-o', 'json']);
  expect(stderr).toMatch(/^error: unknown option/);
});
