// @ts-check
/**
 * Builds what is made of TypeScript: `node scripts/build.mjs [--quick] [--watch] [--force]`. Says nothing
 * when there is nothing to build. Types come off unchecked: `npm run check` looks at them.
 *
 *   dist/tdctl.js, dist/chunks/   the command line: what all commands need is one chunk, and each
 *                                 loads what else it needs
 *   dist/pages/                   the script of each page that runs in a browser
 *   dist/layouts/                 where ELK puts the charts of tdctl itself
 *   build/modules/                every module by itself: for tests, scripts/ and bench/
 *
 * The package has dist/. `--quick` leaves out what no command needs: the layouts and build/modules/.
 * `--watch` keeps all but the layouts as fresh as the sources.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build, watch } from 'rolldown';
import { commandLine, modules, pages, root } from './bundles.mjs';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    watch: { type: 'boolean', default: false },
    force: { type: 'boolean', default: false },
  },
});

const quickly = [commandLine, ...pages];
const inFull = [...quickly, modules];
const inputs = fingerprint();
const isBuilt = [...(options.quick ? ['quick'] : []), 'full'].some((kind) =>
  existsSync(stamp(kind)) ? readFileSync(stamp(kind), 'utf8') === inputs : false,
);

if (options.watch) {
  watch(inFull);
} else if (options.force || !isBuilt) {
  for (const kind of ['quick', 'full']) rmSync(stamp(kind), { force: true });
  for (const made of builtBefore()) rmSync(made, { recursive: true, force: true });
  await Promise.all((options.quick ? quickly : inFull).map((options) => build(options)));
  if (!options.quick) await (await import('./prepare-layouts.mjs')).prepareLayouts();
  mkdirSync(join(root, 'build'), { recursive: true });
  writeFileSync(stamp(options.quick ? 'quick' : 'full'), inputs);
}

/** All but the layouts, which are right as long as they are asked for. */
function builtBefore() {
  const dist = join(root, 'dist');
  const made = existsSync(dist) ? readdirSync(dist).filter((name) => name !== 'layouts') : [];
  return [...made.map((name) => join(dist, name)), join(root, 'build/modules')];
}

/** Where it is said of which sources a build was made. @param {string} kind */
function stamp(kind) {
  return join(root, `build/${kind}.sources`);
}

/** The content of all that goes into a build: unlike file times, right after any git checkout. */
function fingerprint() {
  const sources = ['src', 'machines', 'native', 'scripts'].flatMap((directory) =>
    readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.(ts|mjs)$/.test(file))
      .map((file) => join(directory, file)),
  );
  const hash = createHash('sha256');
  for (const file of ['package.json', 'package-lock.json', ...sources.sort()]) {
    hash.update(`\0${file}\0`).update(readFileSync(join(root, file)));
  }
  return hash.digest('hex');
}
