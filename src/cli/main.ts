#!/usr/bin/env node
/** Loads the rest only once Node keeps what it compiles. */
import { keepCompiled } from './compile-cache.ts';

keepCompiled(process.env);
const { start } = await import('./start.ts');
process.exitCode = await start(process.argv.slice(2));
