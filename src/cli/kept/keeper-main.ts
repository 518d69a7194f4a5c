/**
 * The program of a keeper: `dist/keeper.js NAME`, with what it shall keep on its standard input. It is no command of
 * `tdctl`, so that it loads none; src/keeper/launch.ts starts it, and src/cli/bundled/keeper.ts loads it.
 */
import { speaksFlag, speaksOf } from '../../keeper/move/speaks.ts';
import type { Reached } from '../../keeper/progress.ts';
import { version } from '../version.ts';
import { keeperProcess } from './keeper-process.ts';

export { keepCode } from '../bundled/keep-code.ts';

/** @param onReached hears what its TD has come to, once all is told of it. */
export async function main(onReached: (reached: Reached) => void): Promise<void> {
  if (process.argv[2] === speaksFlag)
    process.stdout.write(`${JSON.stringify(speaksOf(version()))}\n`);
  else process.exitCode = await keeperProcess(process.env, onReached);
}
