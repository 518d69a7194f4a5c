#!/usr/bin/env node
// @ts-check
/**
 * Runs a tool that only a check of the sources needs: `node scripts/tool.mjs NAME [ARGUMENT...]`, such as
 * `biome check --write .`. They are in .ci/tools/check, with a lockfile of their own, so that `npm ci` spares who only
 * wants to build; what the lockfile has is installed there when it is not there yet.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const directory = join(root, '.ci/tools/check');

const [name, ...args] = process.argv.slice(2);
if (name === undefined) {
  console.error('usage: node scripts/tool.mjs biome|knip|publint [ARGUMENT...]');
  process.exitCode = 2;
} else {
  process.exitCode = install() || run(join(directory, 'node_modules/.bin', name), args);
}

/** @returns {number} the exit code */
function install() {
  const lock = readFileSync(join(directory, 'package-lock.json'), 'utf8');
  const stamp = join(directory, 'node_modules/installed-lock.json');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return 0;
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const exitCode = run('npm', ['ci', '--prefix', directory, ...options], 'ignore');
  if (exitCode === 0) writeFileSync(stamp, lock);
  return exitCode;
}

/**
 * @param {string} program
 * @param {readonly string[]} options
 * @param {'inherit' | 'ignore'} output
 * @returns {number} the exit code
 */
function run(program, options, output = 'inherit') {
  const { status, error } = spawnSync(program, options, {
    cwd: root,
    stdio: ['inherit', output, 'inherit'],
  });
  if (error) console.error(error.message);
  return status ?? 1;
}
