// @ts-check
/** What kept TDs take, as whole processes of the bundle: a list of many, to make one, and what a keeper weighs. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle, median, root, timesOf } from './processes.mjs';

const spec = join(root, 'examples/hello.yaml');
const listed = 1000;
const keepers = 12;
const rounds = { list: 21, create: 7 };
/** So many keepers are to fit into a machine of 24 GB. */
const mostLiving = 126;

/**
 * @typedef {{ name: string, ratio: number, aim: number, detail: string }} RatioRow
 * @typedef {{ name: string, value: number, unit: string, aim: number, atLeast: boolean, detail: string }} ValueRow
 */

/** @returns {Promise<(RatioRow | ValueRow)[]>} */
export async function bench() {
  const directory = mkdtempSync(join(tmpdir(), 'tb-'));
  const env = {
    ...process.env,
    TDCTL_STATE_DIR: join(directory, 's'),
    XDG_CACHE_HOME: directory,
  };
  try {
    return [...createAgainstRun(env), weight(env), ...listOfMany(env, directory)];
  } finally {
    tdctl(env, 'kill', '--all', '--wait');
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {readonly string[]} args
 */
function tdctl(env, ...args) {
  return execFileSync(process.execPath, [bundle, ...args], { env, encoding: 'utf8' });
}

/**
 * The files are those of a real TD, which is there, and of the same one once it was killed.
 * @param {NodeJS.ProcessEnv} env
 * @param {string} directory
 * @returns {RatioRow[]}
 */
function listOfMany(env, directory) {
  tdctl(env, 'create', spec, '--host', 'sim');
  const living = statusOf(env, 'hello');
  tdctl(env, 'create', spec, '--host', 'sim', '--name', 'over');
  tdctl(env, 'kill', 'over', '--wait');
  const over = statusOf(env, 'over');
  const kinds = [mostLiving, listed].map((count) => {
    const many = { ...env, TDCTL_STATE_DIR: join(directory, `with-${count}`) };
    for (let at = 0; at < listed; at += 1) copyTd(many, `hello-${at}`, at < count ? living : over);
    return { count, many };
  });
  const [least = Number.NaN, ...lists] = inTurn(rounds.list, [
    () => timesOf(['-e', '0'], { env }).cpuMs,
    ...kinds.map(
      ({ many }) =>
        () =>
          timesOf([bundle, 'list'], { env: many }).cpuMs,
    ),
  ]).map(median);
  return lists.map((ms, index) => ({
    name: `tdctl list of ${listed}, ${kinds[index]?.count} alive, against node -e 0 (Node ${process.versions.node})`,
    ratio: ms / least,
    aim: 1.6,
    detail: `${ms.toFixed(0)} ms / ${least.toFixed(0)} ms of CPU time, medians of ${rounds.list}`,
  }));
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {string} name
 * @param {{ td: object }} status
 */
function copyTd(env, name, status) {
  const directory = tdIn(env, name);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const own = { ...status, td: { ...status.td, name } };
  writeFileSync(join(directory, 'status.json'), `${JSON.stringify(own)}\n`, { mode: 0o600 });
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {RatioRow[]}
 */
function createAgainstRun(env) {
  const [created = [], run = []] = inTurn(rounds.create, [
    () => {
      const { cpuMs, wallMs } = timesOf([bundle, 'create', spec, '--host', 'sim'], { env });
      const kept = cpuOfKeeperMs(env);
      tdctl(env, 'kill', 'hello', '--wait');
      tdctl(env, 'delete', 'hello');
      return { cpuMs: cpuMs + kept, wallMs };
    },
    () => timesOf([bundle, 'run', spec, '--host', 'sim', '--until', 'runnable'], { env }),
  ]);
  const kinds = /** @type {const} */ ([
    ['wallMs', 'on a clock'],
    ['cpuMs', 'of CPU time, the keeper with it'],
  ]);
  return kinds.map(([time, words]) => {
    const ours = median(created.map((each) => each[time]));
    const theirs = median(run.map((each) => each[time]));
    return {
      name: `tdctl create against run --until runnable, ${words}`,
      ratio: ours / theirs,
      aim: 2,
      detail: `${ours.toFixed(0)} ms / ${theirs.toFixed(0)} ms, medians of ${rounds.create}; a run goes on to the end of its TD`,
    };
  });
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {ValueRow}
 */
function weight(env) {
  const names = Array.from({ length: keepers }, (_, at) => `weight-${at}`);
  for (const name of names) tdctl(env, 'create', spec, '--host', 'sim', '--name', name);
  const sizes = names.map((name) => pssMb(statusOf(env, name).keeper.pid));
  tdctl(env, 'kill', '--all', '--wait');
  tdctl(env, 'prune');
  const sum = sizes.reduce((total, size) => total + size, 0);
  const each = sum / keepers;
  return {
    name: `an idle keeper, the mean of ${keepers} (PSS)`,
    value: each,
    unit: 'MB',
    aim: 33,
    atLeast: false,
    detail: `from ${Math.min(...sizes).toFixed(1)} to ${Math.max(...sizes).toFixed(1)} MB, ${sum.toFixed(0)} MB together; ${mostLiving} of them would take at most ${((each * mostLiving) / 1000).toFixed(1)} GB`,
  };
}

/** @param {number} pid */
function pssMb(pid) {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return (Number(/^Pss: +(\d+)/m.exec(rollup)?.[1]) * 1024) / 1e6;
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {string} name
 */
function tdIn(env, name) {
  return join(env.TDCTL_STATE_DIR ?? '', 'td', name);
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {string} name
 * @returns {{ keeper: { pid: number }, td: object }}
 */
function statusOf(env, name) {
  return JSON.parse(readFileSync(join(tdIn(env, name), 'status.json'), 'utf8'));
}

/**
 * It is nobody's child any more, so nobody waits for it: /proc/PID/stat has its time, in ticks of 10 ms.
 * @param {NodeJS.ProcessEnv} env
 */
function cpuOfKeeperMs(env) {
  const stat = readFileSync(`/proc/${statusOf(env, 'hello').keeper.pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/**
 * So that a slow moment of the machine meets all. The first round fills caches, and does not count.
 * @template Result
 * @param {number} times
 * @param {readonly (() => Result)[]} acts
 * @returns {Result[][]}
 */
function inTurn(times, acts) {
  /** @type {Result[][]} */
  const results = acts.map(() => []);
  for (let round = 0; round <= times; round += 1) {
    for (const [index, act] of acts.entries()) {
      const result = act();
      if (round > 0) results[index]?.push(result);
    }
  }
  return results;
}
