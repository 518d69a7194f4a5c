#!/usr/bin/env node
// @ts-check
/**
 * `npm start`: the example TD, on the host that shows most of it at once. Where /dev/kvm can be opened and the addon is
 * built, its guest runs for a few seconds in a real VM (`--host soft`); else all of it is simulated (`--host sim`), and
 * what keeps the guest from running is told first. Nobody waits here for a compiler: the addon is built by
 * `npm run build:native`. The line that is run is printed, for who wants to type it.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const main = 'dist/tdctl.js';

// Ctrl-C is for tdctl, which takes the TD down, and is waited for.
process.on('SIGINT', () => undefined);
process.exitCode = start();

function start() {
  const missing = whyNoSoft();
  if (missing === undefined) return run(['--host', 'soft', '--for', '3s']);
  console.error(`The guest does not run, and all of it is simulated: ${missing}`);
  return run(['--host', 'sim', '--until', 'running']);
}

/** What keeps `soft` from this machine, in the words of tdctl; undefined: nothing. */
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
