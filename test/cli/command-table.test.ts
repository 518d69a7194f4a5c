/** A command is made alone when it is asked for, and says of itself what it says among all. */
import { expect, test } from 'vitest';
import { commandTable } from '../../src/cli/command-table.ts';
import { program } from '../../src/cli/program.ts';
import { cli, terminal } from '../support/cli.ts';

const words = Object.keys(commandTable);

test.each(words)('%s is made without the others, under that name', async (word) => {
  const { commands } = await program(terminal().io, () => undefined, { word });
  expect(commands.map((command) => command.name())).toEqual([word]);
});

test.each([
  ['a word that is no command', 'nothing'],
  ['a name that every object has', 'constructor'],
  ['no word', undefined],
])('%s makes all of them', async (_, word) => {
  const { commands } = await program(terminal().io, () => undefined, { word });
  expect(commands.map((command) => command.name())).toEqual(words);
});

test.each(words)('%s has the same help alone and among all', async (word) => {
  const alone = await cli([word, '--help']);
  expect(alone).toEqual(await cli(['help', word]));
  expect(alone.stdout).toContain(`tdctl ${word}`);
});
