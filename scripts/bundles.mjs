// @ts-check
/** What scripts/build.mjs asks of Rolldown, as data. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, relative, resolve } from 'node:path';
import { rolldown } from 'rolldown';
import { withProgramBehind } from '../src/cli/bundled/behind.mjs';
import { loadedTogether } from './chunks.mjs';
import { loadedFrom } from './loaded-from.mjs';

export const root = resolve(import.meta.dirname, '..');

/** @typedef {import('rolldown').BuildOptions} Bundle */

/** Packages that are installed beside tdctl rather than bundled: it loads them when it needs them. */
const beside = Object.keys(
  JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).dependencies,
);

/** A process has the text in its memory for as long as it lives: two bytes a character where one is beyond Latin-1. */
const oneByte = 'ascii';
const withoutWhitespace = {
  compress: false,
  mangle: false,
  codegen: { removeWhitespace: true },
};

/** What `tdctl list` loads, and most commands for kept TDs too. It is asked often, and each file takes Node a while. */
const ofList = loadedFrom('src/cli/commands/list.ts', 'src/cli/kept/list.ts');

/** The loader takes a file as it is: put together there, all of it is in the memory of a process twice. */
const asFunction = {
  postBanner: '(function(exports,require,module,__filename,__dirname){',
  postFooter: '})',
};

/** Of a stack, tdctl makes the places in the sources itself (src/cli/source-lines.ts): it needs no texts of theirs. */
const sourceMaps = { sourcemap: true, sourcemapExcludeSources: true };

/**
 * The program `tdctl`: what loads all else. With a build of its own it has copies of what it shares with a command, and
 * loads no file of theirs before it knows what was compiled of it.
 * @satisfies {Bundle}
 */
const program = {
  cwd: root,
  platform: 'node',
  input: 'src/cli/bundled/main.ts',
  plugins: [needsNothing(), mapsOfPlaces()],
  output: {
    file: 'dist/tdctl.js',
    format: 'cjs',
    codeSplitting: false,
    comments: false,
    charset: oneByte,
    minify: withoutWhitespace,
    ...sourceMaps,
  },
};

/**
 * CommonJS, because a program can load that itself (src/cli/bundled/loader.ts), and Node loads it quicker than modules.
 * With dist/package.json the chunks can be named .js all the same.
 * @satisfies {Bundle}
 */
const commandLineInChunks = {
  cwd: root,
  platform: 'node',
  input: { start: 'src/cli/start.ts' },
  external: beside,
  plugins: [notices('NOTICES.txt'), isCommonJs(), withoutPrograms(), mapsOfPlaces()],
  // A file may have exports for the files that were parted from it.
  preserveEntrySignatures: 'allow-extension',
  // Which modules share a file is told below, so an import may find its module there already.
  checks: { ineffectiveDynamicImport: false },
  output: {
    dir: 'dist',
    format: 'cjs',
    entryFileNames: 'chunks/[name].js',
    chunkFileNames: 'chunks/[name].js',
    ...asFunction,
    codeSplitting: {
      groups: [
        { name: 'core', tags: ['$initial'] },
        { name: 'list', test: (id) => ofList.has(relative(root, id)) },
        loadedTogether(root),
      ],
    },
    comments: false,
    charset: oneByte,
    minify: withoutWhitespace,
    ...sourceMaps,
  },
};

/** @type {Bundle[]} */
export const commandLine = [program, commandLineInChunks];

/**
 * The program of a keeper. It is one file, whatever its code imports when it needs it, and whosever package that is in:
 * an installed tdctl may be replaced while a keeper runs. What loads it comes first in the file.
 * @type {Bundle}
 */
export const keeper = {
  cwd: root,
  platform: 'node',
  input: 'src/cli/kept/keeper-main.ts',
  plugins: [needsNothing(), notices('keeper.NOTICES.txt'), behindItsLoader()],
  output: {
    dir: 'dist',
    format: 'cjs',
    entryFileNames: 'keeper.js',
    codeSplitting: false,
    comments: false,
    charset: oneByte,
    minify: withoutWhitespace,
    ...asFunction,
  },
};

/** @type {Bundle} */
export const modules = {
  cwd: root,
  platform: 'node',
  input: ['src', 'machines', 'native'].flatMap(modulesBelow),
  external: /^[^./]/,
  treeshake: false,
  output: {
    dir: 'build/modules',
    preserveModules: true,
    preserveModulesRoot: '.',
    comments: false,
    sourcemap: true,
  },
};

/**
 * A page is a single file, so it cannot load modules.
 * @type {Bundle[]}
 */
export const pages = Object.entries({
  graph: 'src/visualize/html/client/main.ts',
  rehearse: 'src/cli/rehearse/page/client/main.ts',
  watch: 'src/watch/page/client/main.ts',
}).map(([name, main]) => ({
  cwd: root,
  platform: 'browser',
  tsconfig: 'tsconfig.client.json',
  input: main,
  plugins: [staysInItsElement(name)],
  output: {
    file: `dist/pages/${name}.js`,
    format: 'iife',
    banner: "'use strict';",
    comments: false,
  },
}));

/** @param {string} directory */
function modulesBelow(directory) {
  return readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.includes('client/'))
    .map((file) => join(directory, file));
}

/**
 * Puts beside the bundles what the licences of bundled packages ask for: their notices.
 * @param {string} fileName
 * @returns {import('rolldown').Plugin}
 */
function notices(fileName) {
  return {
    name: 'notices',
    generateBundle(_, bundle) {
      const packages = new Set(
        Object.values(bundle)
          .flatMap((made) => (made.type === 'chunk' ? made.moduleIds : []))
          .flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(id)?.[0] ?? []),
      );
      const texts = [...packages].sort().map(noticeOf);
      this.emitFile({ type: 'asset', fileName, source: texts.join('\n\n') });
    },
  };
}

/**
 * Beside the bundle stands of which build it is: compiled code is that of one build (src/cli/bundled/).
 * @returns {import('rolldown').Plugin}
 */
function isCommonJs() {
  return {
    name: 'is-common-js',
    generateBundle(_, bundle) {
      const build = createHash('sha256');
      for (const made of Object.values(bundle)) {
        if (made.type === 'chunk') build.update(loadable(made).code);
      }
      const source = JSON.stringify({ type: 'commonjs', build: build.digest('hex') });
      this.emitFile({ type: 'asset', fileName: 'package.json', source });
    },
  };
}

/**
 * A keeper's program goes into the comment behind what loads it (src/cli/bundled/keeper.ts).
 * @returns {import('rolldown').Plugin}
 */
function behindItsLoader() {
  return {
    name: 'behind-its-loader',
    async buildStart() {
      for (const id of (await keeperLoader()).moduleIds) this.addWatchFile(id);
    },
    async generateBundle(_, bundle) {
      const { code } = await keeperLoader();
      for (const made of Object.values(bundle)) {
        if (made.type !== 'chunk') continue;
        const text = loadable(made).code;
        const build = createHash('sha256').update(text).digest('hex');
        made.code = withProgramBehind(code, { text, build });
      }
    },
  };
}

async function keeperLoader() {
  const { cwd, platform, plugins } = program;
  const bundle = await rolldown({ cwd, platform, plugins, input: 'src/cli/bundled/keeper.ts' });
  const { format, comments, charset, minify } = program.output;
  const { output } = await bundle.generate({ format, comments, charset, minify });
  await bundle.close();
  return output[0];
}

/**
 * Whether src/cli/bundled/loader.ts can load it.
 * @param {import('rolldown').OutputChunk} made
 */
function loadable(made) {
  // The loader reads a byte for each character.
  if (/[^\0-\x7f]/.test(made.code)) throw new Error(`${made.fileName} is not ASCII`);
  // A script of kept code has no way to import.
  if (/[^.\w$]import\(/.test(made.code)) throw new Error(`${made.fileName} has an import()`);
  return made;
}

/**
 * Commander can run subcommands that are programs of their own. tdctl has none, and what starts a program takes Node
 * longer to load than all of commander.
 * @returns {import('rolldown').Plugin}
 */
function withoutPrograms() {
  const none = '\0no-programs';
  return {
    name: 'without-programs',
    resolveId: (id, importer) =>
      id === 'node:child_process' && importer?.includes('/node_modules/commander/') ? none : null,
    load: (id) => (id === none ? 'module.exports = {};' : null),
  };
}

/**
 * A map tells places here, and nobody asks it for names (src/cli/source-lines.ts). A segment of the mappings has the name
 * as the last of five numbers; of base64 the first half of the alphabet ends a number.
 * @returns {import('rolldown').Plugin}
 */
function mapsOfPlaces() {
  return {
    name: 'maps-of-places',
    generateBundle(_, bundle) {
      for (const made of Object.values(bundle)) {
        if (made.type !== 'asset' || !made.fileName.endsWith('.map')) continue;
        const map = JSON.parse(String(made.source));
        const mappings = map.mappings.replace(
          /((?:[g-z0-9+/]*[A-Za-f]){4})[g-z0-9+/]*[A-Za-f]/g,
          '$1',
        );
        made.source = JSON.stringify({ ...map, names: [], mappings });
      }
    },
  };
}

/** @param {string} directory */
function noticeOf(directory) {
  const { name, version, license } = JSON.parse(
    readFileSync(join(directory, 'package.json'), 'utf8'),
  );
  const files = readdirSync(directory).filter((file) => /^licen[cs]e/i.test(file));
  if (files.length === 0)
    throw new Error(`${relative(root, directory)} has no licence to bring along`);
  const texts = files.map((file) => readFileSync(join(directory, file), 'utf8').trim());
  return [`${name} ${version} (${license})`, ...texts].join('\n\n');
}

/** @returns {import('rolldown').Plugin} */
function needsNothing() {
  return {
    name: 'needs-nothing',
    generateBundle(_, bundle) {
      for (const made of Object.values(bundle)) {
        if (made.type !== 'chunk') continue;
        const others = [...made.imports, ...made.dynamicImports].filter(
          (id) => !isBuiltin(id) && id !== made.fileName,
        );
        if (others.length > 0) throw new Error(`${made.fileName} needs ${others.join(', ')}`);
      }
    },
  };
}

/**
 * @param {string} page
 * @returns {import('rolldown').Plugin}
 */
function staysInItsElement(page) {
  return {
    name: 'stays-in-its-element',
    generateBundle(_, bundle) {
      for (const made of Object.values(bundle)) {
        if (made.type === 'chunk' && /<\/script|<!--/i.test(made.code)) {
          throw new Error(`${page}: its script would end its element`);
        }
      }
    },
  };
}
