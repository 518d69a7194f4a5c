/**
 * The program of a keeper as it is started, `dist/keeper.js`. It is one file, with the program itself in the comment at
 * its end (scripts/bundles.mjs), where Node does not compile it: what V8 compiled of it before is taken, as for a command.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { cacheDirectory } from '../cache-directory.ts';
import { programBehind } from './behind.mjs';
import { keptCodeBytes, keptCodePath, readKeptCode } from './kept-code.ts';
import { Loader } from './loader.ts';

/** A keeper has better to do right then than to keep what it was compiled to. */
const keepAfterMs = 1000;

function main(): void {
  const file = import.meta.filename;
  const { build, ...source } = programBehind(readFileSync(file, 'latin1'));
  const origin = { build, directory: import.meta.dirname };
  const cache = cacheDirectory(process.env);
  const path = cache && keptCodePath(cache, 'keeper');
  const loader = new Loader({
    directory: origin.directory,
    kept: path === undefined ? undefined : readKeptCode(path, origin),
    read: () => source,
    loadPackage: (id) => {
      throw new Error(`the program of a keeper has no ${id} in it`);
    },
  });
  const program = loader.load(basename(file)) as typeof import('../kept/keeper-main.ts');

  const keep = (reached: string) => {
    const compiled = loader.compiled(reached);
    if (path === undefined || compiled === undefined) return;
    void program.keepCode({ path, content: () => keptCodeBytes(origin, compiled()) });
  };
  program.main((reached) => void setTimeout(keep, keepAfterMs, reached).unref());
}

main();
