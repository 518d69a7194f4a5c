#!/usr/bin/env node
/**
 * Builds the native addon with node-gyp: `node scripts/build-native.mjs [--if-possible] [--debug]
 * [--sanitize] [--force] [--prebuilt]`. Says nothing when there is nothing to build.
 *
 *   (default)       build/Release/tdctl.node
 *   --debug         build/Debug/tdctl.node
 *   --sanitize      build/sanitized/build/Debug/tdctl.node, with ASan and UBSan
 *   --if-possible   where a tool is missing: one line saying which, exit 0
 *   --force         build even when nothing changed
 *   --prebuilt      and put it into prebuilds/, without its symbols, for the package
 *
 * Warnings are errors in every build (binding.gyp).
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

const { values: options } = parseArgs({
  options: {
    'if-possible': { type: 'boolean', default: false },
    debug: { type: 'boolean', default: false },
    sanitize: { type: 'boolean', default: false },
    force: { type: 'boolean', default: false },
    prebuilt: { type: 'boolean', default: false },
  },
});

/** Set in one that nobody builds beside. */
const alone = 'TDCTL_BUILDS_ALONE';

process.exitCode = main();

/** @returns {number} the exit code */
function main() {
  const build = planBuild();
  const fingerprint = fingerprintOf(build);
  const isDue = options.force || !isUpToDate(build, fingerprint);
  if ((isDue || options.prebuilt) && process.env[alone] === undefined) return runAlone();
  return (isDue ? make(build, fingerprint) : 0) || (options.prebuilt ? putIntoPackage(build) : 0);
}

/** Two builds at once would write the same files. Who comes second waits, and mostly finds nothing to do. */
function runAlone() {
  const env = { ...process.env, [alone]: '1' };
  const run = (/** @type {string} */ command, /** @type {string[]} */ ...args) =>
    spawnSync(command, args, { env, stdio: 'inherit' });
  const self = process.argv.slice(1);
  const ended = run('flock', root, process.execPath, ...self);
  // Where there is no flock, nobody is waited for.
  return (ended.error ? run(process.execPath, ...self) : ended).status ?? 1;
}

function make(/** @type {Build} */ build, /** @type {string} */ fingerprint) {
  const missing = whatIsMissing();
  if (missing) {
    const line = `native addon not built: ${missing}`;
    if (options['if-possible']) {
      console.error(`${line}; the hosts kvm and soft are not available`);
      return 0;
    }
    console.error(line);
    return 1;
  }
  return runNodeGyp(build, fingerprint);
}

/** @typedef {{ directory: string, configuration: string, flags: string[], output: string }} Build */

/** @returns {Build} */
function planBuild() {
  const configuration = options.debug || options.sanitize ? 'Debug' : 'Release';
  // node-gyp always builds in ./build. A sanitizer build gets a directory of its own, which sees
  // the sources through links, so that it does not undo the ordinary build.
  const directory = options.sanitize ? join(root, 'build/sanitized') : root;
  return {
    directory,
    configuration,
    flags: [
      configuration === 'Debug' ? '--debug' : '--release',
      ...(options.sanitize ? ['--sanitize=1'] : []),
    ],
    output: join(directory, 'build', configuration, 'tdctl.node'),
  };
}

/** The content of all that goes into a build: unlike file times, right after any git checkout. */
function fingerprintOf(/** @type {Build} */ build) {
  const sources = readdirSync(join(root, 'native'), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(cc|h|map)$/.test(file))
    .sort()
    .map((file) => join('native', file));
  const hash = createHash('sha256').update(JSON.stringify([process.version, build.flags]));
  for (const file of ['binding.gyp', ...sources]) {
    hash.update(`\0${file}\0`).update(readFileSync(join(root, file)));
  }
  return hash.digest('hex');
}

function fingerprintFile(/** @type {Build} */ build) {
  return `${build.output}.sources`;
}

function isUpToDate(/** @type {Build} */ build, /** @type {string} */ fingerprint) {
  return (
    existsSync(build.output) &&
    existsSync(fingerprintFile(build)) &&
    readFileSync(fingerprintFile(build), 'utf8') === fingerprint
  );
}

/** @returns {string | undefined} a phrase naming what a build needs and this machine lacks */
function whatIsMissing() {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return `KVM with TDX is x86-64 Linux only, this is ${process.arch} ${process.platform}`;
  }
  const compiler = process.env.CXX ?? 'g++';
  if (!isOnPath(compiler)) return `no C++ compiler (${compiler})`;
  if (!isOnPath('make')) return 'no make';
  if (!isOnPath(process.env.PYTHON ?? 'python3')) return 'no python3';
  if (!nodeGyp()) return 'node-gyp is not installed (npm ci)';
  if (!headersPrefix()) return 'no Node headers (node_api.h) beside this Node';
  return undefined;
}

function isOnPath(/** @type {string} */ command) {
  if (command.includes('/')) return isExecutable(command);
  const directories = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return directories.some((directory) => isExecutable(join(directory, command)));
}

function isExecutable(/** @type {string} */ path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function nodeGyp() {
  try {
    return createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js');
  } catch {
    return undefined;
  }
}

/** The headers that came with this Node, so that node-gyp downloads none. */
function headersPrefix() {
  const prefix = resolve(dirname(process.execPath), '..');
  return existsSync(join(prefix, 'include/node/node_api.h')) ? prefix : undefined;
}

/** @returns {number} the exit code */
function runNodeGyp(/** @type {Build} */ build, /** @type {string} */ fingerprint) {
  if (build.directory !== root) linkSources(build.directory);
  rmSync(fingerprintFile(build), { force: true });

  const started = performance.now();
  const gyp = spawnSync(
    process.execPath,
    [
      /** @type {string} */ (nodeGyp()),
      'configure',
      'build',
      ...build.flags,
      `--nodedir=${headersPrefix()}`,
      `--jobs=${cpus().length}`,
    ],
    { cwd: build.directory, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
  );
  if (gyp.status !== 0) {
    process.stderr.write(`${gyp.stdout ?? ''}${gyp.stderr ?? ''}`);
    console.error(`native addon not built: node-gyp ended with ${gyp.status ?? gyp.signal}`);
    return 1;
  }
  writeFileSync(fingerprintFile(build), fingerprint);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.error(`built ${build.output.slice(root.length + 1)} in ${seconds} s`);
  return 0;
}

/** One file is for glibc and musl (binding.gyp), and Node-API for every Node. @returns {number} the exit code */
function putIntoPackage(/** @type {Build} */ { output }) {
  const prebuilt = join(root, 'prebuilds/linux-x64.node');
  mkdirSync(dirname(prebuilt), { recursive: true });
  const { status } = spawnSync('strip', ['-o', prebuilt, output], { stdio: 'inherit' });
  return status ?? 1;
}

function linkSources(/** @type {string} */ directory) {
  mkdirSync(directory, { recursive: true });
  for (const name of ['binding.gyp', 'native']) {
    const link = join(directory, name);
    rmSync(link, { force: true });
    symlinkSync(join('../..', name), link);
  }
}
