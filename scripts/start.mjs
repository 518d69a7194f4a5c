#!/usr/bin/env node
// @ts-check
/**
 * `npm start`: the example TD, on the host that shows most of it here. Where /dev/kvm can be opened and the addon is
 * built or can be, its guest runs for a few seconds in a real VM (`--host soft`); else all of it is simulated
 * (`--host sim`). The line that is run is printed, for who wants to type it.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const main = 'dist/tdctl.js';

// Ctrl-C is for tdctl, which takes the TD down, and is waited for.
process.on('SIGINT', () => undefined);
process.exitCode = start();

function start() {
  const missing = whyNoSoft();
  if (missing === undefined) return run(['--host', 'soft', '--for', '3s']);
  console.error(`No guest can run here, so all of it is simulated: ${missing}`);
  return run(['--host', 'sim', '--until', 'running']);
}

/** What keeps `soft` from this machine, in the words of tdctl; undefined: nothing. */
function whyNoSoft() {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
    node(['scripts/build-native.mjs', '--if-possible'], 'inherit');
  } catch {
    // tdctl says below what is wrong with it.
  }
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
