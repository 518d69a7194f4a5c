#!/usr/bin/env node
/** Loads the rest only once Node keeps what it compiles. */
import { keepCompiled } from './compile-cache.ts';

keepCompiled(process.env);
// The bundle is CommonJS (scripts/bundles.mjs), where a module does not await.
void import('./start.ts').then(async ({ start }) => {
  process.exitCode = await start(process.argv.slice(2));
});
