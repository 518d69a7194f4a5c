/**
 * The program of a keeper: `dist/keeper.js NAME`, with what it shall keep on its standard input. It is no command of
 * `tdctl`, so that it loads none; src/keeper/launch.ts starts it.
 */
import { speaksFlag, speaksOf } from '../../keeper/move/speaks.ts';
import { version } from '../version.ts';
import { keeperProcess } from './keeper-process.ts';

if (process.argv[2] === speaksFlag)
  process.stdout.write(`${JSON.stringify(speaksOf(version()))}\n`);
else {
  // The bundle is CommonJS (scripts/bundles.mjs), where a module does not await.
  void keeperProcess(process.env).then((exitCode) => {
    process.exitCode = exitCode;
  });
}
