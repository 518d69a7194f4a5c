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
