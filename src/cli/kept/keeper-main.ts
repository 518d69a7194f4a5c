/**
 * The program of a keeper: `dist/keeper.mjs NAME`, with what it shall keep on its standard input. It is no command of
 * `tdctl`, so that it loads none; src/keeper/launch.ts starts it.
 */
import { keeperProcess } from './keeper-process.ts';

process.exitCode = await keeperProcess(process.env);
