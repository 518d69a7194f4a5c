// @ts-check
/**
 * Builds what is made of TypeScript: `node scripts/build.mjs [--quick] [--watch] [--force]`. Says nothing
 * when there is nothing to build. Types come off unchecked: `npm run check` looks at them.
 *
 *   dist/tdctl.js                 the program, which loads the chunks
 *   dist/chunks/                  the command line: what all commands need is one chunk, and each
 *                                 loads what else it needs
 *   dist/keeper.js                 the program of a keeper, which loads nothing later
 *   dist/pages/                   the script of each page that runs in a browser
 *   dist/layouts/                 where ELK puts the charts of tdctl itself
 *   build/modules/                every module by itself: for tests, scripts/ and bench/
 *
 * The package has dist/. `--quick` leaves out what no command needs: the layouts and build/modules/.
 * `--watch` keeps all but the layouts as fresh as the sources.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build, watch } from 'rolldown';
import { commandLine, keeper, modules, pages, root } from './bundles.mjs';
import { sourcesOf, staleSources, stampFile } from './sources.mjs';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    watch: { type: 'boolean', default: false },
    force: { type: 'boolean', default: false },
  },
});

/** @type {'quick' | 'full'} */
const kind = options.quick ? 'quick' : 'full';
const sources = sourcesOf(root);
/** @type {readonly ('quick' | 'full')[]} */
const kinds = ['full', kind];
const isFresh = kinds.some((each) => staleSources(root, each, sources).length === 0);
const quick = [...commandLine, keeper, ...pages];

if (options.watch) {
  watch([...quick, modules]);
} else if (options.force || !isFresh) {
  for (const made of builtBefore()) rmSync(made, { recursive: true, force: true });
  const bundles = [...(options.quick ? [] : [modules]), ...quick];
  await Promise.all(bundles.map((bundle) => build(bundle)));
  if (!options.quick) await (await import('./prepare-layouts.mjs')).prepareLayouts();
  mkdirSync(join(root, 'build'), { recursive: true });
  writeFileSync(stampFile(root, kind), JSON.stringify(sources, null, 1));
}

/** All but the layouts, which are right as long as they are asked for. */
function builtBefore() {
  const dist = join(root, 'dist');
  const made = existsSync(dist) ? readdirSync(dist).filter((name) => name !== 'layouts') : [];
  return [
    ...made.map((name) => join(dist, name)),
    join(root, 'build/modules'),
    stampFile(root, 'quick'),
    stampFile(root, 'full'),
  ];
}
