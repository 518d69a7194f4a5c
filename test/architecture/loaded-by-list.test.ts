/** `tdctl list` is asked often: what it loads on its way to a table reads files, and knows nothing of simulators. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

/** Without those of types, and those that are loaded when they are needed. */
const imports = /^(?:import|export) (?!type\b)(?:[^;]*? from )?'([^']+)';/gm;

function loadedFrom(...files: readonly string[]): ReadonlySet<string> {
  const loaded = new Set<string>();
  const visit = (file: string) => {
    if (loaded.has(file)) return;
    loaded.add(file);
    if (!existsSync(join(root, file))) return;
    for (const [, from = ''] of readFileSync(join(root, file), 'utf8').matchAll(imports)) {
      visit(from.startsWith('.') ? relative(root, resolve(root, dirname(file), from)) : from);
    }
  };
  for (const file of files) visit(file);
  return loaded;
}

test('list loads no library but those of every command, and none of the rooms that know how TDs are made', () => {
  const loaded = loadedFrom('src/cli/commands/list.ts', 'src/cli/kept/list.ts');
  expect(loaded).toContain('src/keeper/kept-tds.ts');
  const heavy =
    /^(machines|src\/(simulator|diagnosis|plan|spec|orchestrator|guest|host|firmware|abi)\/|zod|yaml|xstate|pino)/;
  expect([...loaded].filter((each) => heavy.test(each))).toEqual([]);
});
