/** `tdctl list` is asked often: what it loads on its way to a table reads files, and knows nothing of simulators. */
import { expect, test } from 'vitest';
import { loadedFrom } from '../../scripts/loaded-from.mjs';

test('list loads no library but those of every command, and none of the rooms that know how TDs are made', () => {
  const loaded = loadedFrom('src/cli/commands/list.ts', 'src/cli/kept/list.ts');
  expect(loaded).toContain('src/keeper/kept-tds.ts');
  const heavy =
    /^(machines|src\/(simulator|diagnosis|plan|spec|orchestrator|guest|host|firmware|abi)\/|zod|yaml|xstate|pino)/;
  expect([...loaded].filter((each) => heavy.test(each))).toEqual([]);
});
