#!/usr/bin/env node
/** Loads the rest only once Node keeps what it compiles. */
import { commandTable } from './command-table.ts';
import { keepCompiled } from './compile-cache.ts';

const [word = ''] = process.argv.slice(2);
keepCompiled(process.env, Object.hasOwn(commandTable, word) ? word : 'tdctl');
// The bundle is CommonJS (scripts/bundles.mjs), where a module does not await.
void import('./start.ts').then(async ({ start }) => {
  process.exitCode = await start(process.argv.slice(2));
});
