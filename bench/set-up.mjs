// @ts-check
/**
 * From a clone to a TD: `npm ci && npm start` in a clone of what is committed here, by the clock and in CPU time.
 * It asks the registry, so it is run by its name alone; what npm has in its cache it does not fetch again.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median, root, timesOfCommand } from './processes.mjs';

const rounds = 3;
const steps = [
  ['npm', 'ci'],
  ['npm', 'start'],
];

/** @typedef {{ cpuMs: number, wallMs: number }} Times */

/** @returns {Promise<{ name: string, value: number, unit: string, aim: number, atLeast: boolean, detail: string }[]>} */
export async function bench() {
  const all = Array.from({ length: rounds }, setUp);
  const wall = median(all.map((times) => sum(times.map(({ wallMs }) => wallMs))));
  const parts = steps.map((step, index) => {
    const of = (/** @type {keyof Times} */ kind) =>
      (median(all.map((times) => times[index]?.[kind] ?? Number.NaN)) / 1000).toFixed(1);
    return `${step.join(' ')} ${of('wallMs')} s, ${of('cpuMs')} s of CPU time`;
  });
  return [
    {
      name: 'npm ci && npm start in a new clone',
      value: wall / 1000,
      unit: 's',
      aim: 9,
      atLeast: false,
      detail: `by the clock, medians of ${rounds}: ${parts.join('; ')}`,
    },
  ];
}

/** @returns {Times[]} of each step */
function setUp() {
  const clone = mkdtempSync(join(tmpdir(), 'tdctl-bench-set-up-'));
  try {
    const { status, stderr } = spawnSync('git', ['clone', '--quiet', root, clone], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`git clone ended with ${status}: ${stderr}`);
    const env = { ...process.env, XDG_CACHE_HOME: join(clone, '.cache') };
    return steps.map((step) => timesOfCommand(step, { cwd: clone, env }));
  } finally {
    rmSync(clone, { recursive: true });
  }
}

/** @param {readonly number[]} values */
function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}
