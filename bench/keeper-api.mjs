// @ts-check
/** How soon a keeper answers over its socket: a real one, of a TD on a simulated host. Works on the build output. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** @param {string} path */
const built = (path) =>
  import(new URL(`../build/modules/src/keeper/${path}`, import.meta.url).href);
const { connectTd } = await built('client.js');
const { openStateDirectory } = await built('state-directory.js');

const root = fileURLToPath(new URL('..', import.meta.url));
const requests = 2000;
const rounds = 5;
const aimMs = 1;

/** @typedef {{ name: string, value: number, unit: string, aim: number, atLeast: boolean, detail: string }} Row */

/** @returns {Promise<Row[]>} */
export async function bench() {
  const directory = mkdtempSync(join(tmpdir(), 'tb-'));
  const env = { ...process.env, TDCTL_STATE_DIR: directory };
  /** @param {readonly string[]} args */
  const tdctl = (...args) =>
    execFileSync(process.execPath, [join(root, 'dist/tdctl.js'), ...args], { env, stdio: 'pipe' });
  tdctl('create', join(root, 'examples/hello.yaml'), '--host', 'sim', '--start');
  try {
    const state = await openStateDirectory(env, { create: false });
    const from = performance.now();
    const client = await connectTd(state, 'hello', { deadlineMs: 10_000 });
    const firstMs = performance.now() - from;
    const rollup = readFileSync(`/proc/${client.greeting.pid}/smaps_rollup`, 'utf8');
    const pssMb = Number(/^Pss: +(\d+)/m.exec(rollup)?.[1]) / 1024;
    const td = await timesOf(() => client.td());
    const metrics = await timesOf(() => client.metrics());
    client.close();
    const connecting = await timesOf(async () => {
      const another = await connectTd(state, 'hello', { deadlineMs: 10_000 });
      another.close();
    }, 250);
    const detail = `${requests} requests over one connection in ${rounds} rounds, p99 ${td.p99.toFixed(2)} ms; metrics ${metrics.p50.toFixed(2)} ms; a connection and its greeting ${connecting.p50.toFixed(2)} ms, the first of a process ${firstMs.toFixed(0)} ms; the keeper has ${pssMb.toFixed(0)} MiB (PSS)`;
    const row = { value: td.p50, unit: 'ms', aim: aimMs, atLeast: false, detail };
    return [{ name: 'request of the API of a keeper, p50', ...row }];
  } finally {
    tdctl('kill', 'hello', '--wait');
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * The quietest of some rounds: what others do on the machine meanwhile is in the other ones.
 * @param {() => Promise<unknown>} work
 * @param {number} [times]
 */
async function timesOf(work, times = requests) {
  const found = [];
  for (let round = 0; round < rounds; round += 1) found.push(await roundOf(work, times / rounds));
  found.sort((one, other) => one.p50 - other.p50);
  return found[0] ?? { p50: Number.NaN, p99: Number.NaN };
}

/**
 * @param {() => Promise<unknown>} work
 * @param {number} times
 */
async function roundOf(work, times) {
  const taken = [];
  for (let at = 0; at < times; at += 1) {
    const from = performance.now();
    await work();
    taken.push(performance.now() - from);
  }
  taken.sort((one, other) => one - other);
  return {
    p50: taken[Math.floor(times * 0.5)] ?? Number.NaN,
    p99: taken[Math.floor(times * 0.99)] ?? Number.NaN,
  };
}
