// @ts-check
/** What whole processes take: commands of the bundle, in an environment of their own. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '..');
export const bundle = join(root, 'dist/tdctl.js');

/** @typedef {{ cwd?: string, env: NodeJS.ProcessEnv, mayEndWith?: readonly number[] | undefined }} Options */

/** @param {readonly string[]} args of Node @param {Options} options */
export function timesOf(args, options) {
  return timesOfCommand([process.execPath, ...args], options);
}

/**
 * The time on a clock, and the CPU time of a process and those that it waited for, by the rusage that bash reads.
 * @param {readonly string[]} command
 * @param {Options} options
 * @returns {{ cpuMs: number, wallMs: number }}
 */
export function timesOfCommand(command, { cwd = root, env, mayEndWith = [] }) {
  const script = 'TIMEFORMAT="%3U %3S %3R"; time "$@" >/dev/null 2>&1';
  const { status, stderr } = spawnSync('bash', ['-c', script, '-', ...command], {
    cwd,
    env,
    encoding: 'utf8',
  });
  if (status !== 0 && !mayEndWith.includes(status ?? -1)) {
    throw new Error(`${command.join(' ')} ended with ${status}`);
  }
  const [user = Number.NaN, system = Number.NaN, wall = Number.NaN] = stderr
    .trim()
    .split(' ')
    .map(Number);
  return { cpuMs: (user + system) * 1000, wallMs: wall * 1000 };
}

/** @param {readonly number[]} values */
export function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** Aims differ where `node -e 0` is quicker. */
export const nodeMajor = Number(process.versions.node.split('.')[0]) >= 24 ? 24 : 20;
