// @ts-check
/** What whole processes take: commands of the bundle, in an environment of their own. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '..');
export const bundle = join(root, 'dist/tdctl.js');

/**
 * The time on a clock, and the CPU time of a process and those that it waited for, by the rusage that bash reads.
 * @param {readonly string[]} args of Node
 * @param {{ env: NodeJS.ProcessEnv, mayEndWith?: readonly number[] | undefined }} options
 * @returns {{ cpuMs: number, wallMs: number }}
 */
export function timesOf(args, { env, mayEndWith = [] }) {
  const script = 'TIMEFORMAT="%3U %3S %3R"; time "$@" >/dev/null 2>&1';
  const { status, stderr } = spawnSync('bash', ['-c', script, '-', process.execPath, ...args], {
    cwd: root,
    env,
    encoding: 'utf8',
  });
  if (status !== 0 && !mayEndWith.includes(status ?? -1)) {
    throw new Error(`node ${args.join(' ')} ended with ${status}`);
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
