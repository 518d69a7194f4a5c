#!/usr/bin/env node
// @ts-check
/**
 * `npm start`: the example TD, on the host that shows most of it at once. Where /dev/kvm can be opened and the addon
 * is built, its guest runs for a few seconds in a real VM (`--host soft`); else all of it is simulated (`--host sim`).
 * The addon is kept as fresh as its sources here, and never built for the first time: that takes longer than all else
 * of the way from a clone to a TD, so who is here for the first time is told the line that does it.
 *
 * The line that is run is printed, for who wants to type it.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const main = 'dist/tdctl.js';

// Ctrl-C is for tdctl, which takes the TD down, and is waited for.
process.on('SIGINT', () => undefined);
process.exitCode = start();

function start() {
  const missing = whyNoKvm();
  if (missing !== undefined) return simulate(missing);
  if (!existsSync(join(root, 'build/Release/tdctl.node'))) return simulateAndOffer();
  node(['scripts/build-native.mjs', '--if-possible'], 'inherit');
  const refused = whyNoSoft();
  if (refused !== undefined) return simulate(refused);
  return run(['--host', 'soft', '--for', '3s']);
}

/** @param {string} missing */
function simulate(missing) {
  console.error(`No guest can run here, so all of it is simulated: ${missing}`);
  return run(['--host', 'sim', '--until', 'running']);
}

function simulateAndOffer() {
  console.error('All of it is simulated; its guest can run for real (below)');
  const exitCode = run(['--host', 'sim', '--until', 'running']);
  console.error(`
Its guest can run in a real VM of this machine (--host soft) once the addon is built: about a minute, once.

  npm run build:native && npm start`);
  return exitCode;
}

function whyNoKvm() {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
    return undefined;
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    return `/dev/kvm cannot be opened (${code}); \`tdctl doctor\` says more`;
  }
}

/** What else keeps `soft` from this machine, in the words of tdctl; undefined: nothing. */
function whyNoSoft() {
  const { status, stderr } = node([main, 'host', '--host', 'soft', '-o', 'json'], 'pipe');
  if (status === 0) return undefined;
  try {
    const { message, hint } = JSON.parse(stderr).error;
    return `${message} (${hint})`;
  } catch {
    return stderr.trim();
  }
}

/** @param {readonly string[]} options */
function run(options) {
  const args = ['run', 'examples/hello.yaml', ...options];
  console.error(`$ tdctl ${args.join(' ')}\n`);
  return node([main, ...args], 'inherit').status ?? 1;
}

/**
 * @param {readonly string[]} args
 * @param {'inherit' | 'pipe'} output
 */
function node(args, output) {
  return spawnSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['inherit', output, output],
  });
}
