// @ts-check
/**
 * TDs that move from keeper to keeper: how long no vCPU runs on soft, by the size of the memory, and how long many moves
 * take. Works on the build output. KEEPER_MOVES sets how many moves are made on simulated machines.
 */
import { execFile, execFileSync } from 'node:child_process';
import { accessSync, constants, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const main = join(root, 'dist/tdctl.js');
const movesOfSize = 8;
const moves = Number(process.env.KEEPER_MOVES ?? 100);
const tds = 10;

/** @typedef {{ name: string, value: number, unit: string, aim: number, atLeast: boolean, detail: string }} Row */
/** @typedef {{ name: string, ratio: null, aim: number, detail: string }} NotMeasured */

/** @returns {Promise<(Row | NotMeasured)[]>} */
export async function bench() {
  // Where keepers write is in memory, as /run is.
  const directory = mkdtempSync('/dev/shm/tb-');
  const env = { ...process.env, TDCTL_STATE_DIR: directory };
  try {
    return [...(await blackouts(env, directory)), await many(env)];
  } finally {
    execFileSync(process.execPath, [main, 'delete', '--all', '--force'], { env, stdio: 'pipe' });
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {string} directory
 */
async function blackouts(env, directory) {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
  } catch {
    return [
      {
        name: 'a move between keepers on soft',
        ratio: null,
        aim: 1,
        detail: 'not measured: no /dev/kvm',
      },
    ];
  }
  const rows = [];
  for (const memory of ['256MiB', '4GiB']) {
    const name = `m${memory.toLowerCase()}`;
    const path = join(directory, `${name}.yaml`);
    const hello = readFileSync(join(root, 'examples/hello.yaml'), 'utf8');
    writeFileSync(
      path,
      hello
        .replace(/vcpus: 4/, 'vcpus: 1')
        .replace(/memory: .*/, `memory: ${memory}`)
        .replace(/firmware: /, `firmware: ${join(root, 'examples')}/`),
    );
    const soft = ['--host', 'soft', '--kernel', 'rfc-migration-v2', '--start'];
    await tdctl(env, 'create', path, '--name', name, ...soft);
    const all = [];
    for (let at = 0; at < movesOfSize; at += 1) all.push(await moved(env, name));
    // Its guest counts for as long as it lives, and would take a CPU from what is measured next.
    await tdctl(env, 'delete', name, '--force');
    all.sort((a, b) => a.blackoutMs - b.blackoutMs);
    const [best] = all;
    const middle = all[Math.floor(all.length / 2)]?.blackoutMs ?? 0;
    const parts = (best?.blackoutParts ?? []).map(
      ({ state, durationMs }) => `${state.replace(/^.*\./, '')} ${durationMs.toFixed(2)}`,
    );
    rows.push({
      name: `no vCPU runs, a move between keepers on soft, 1 vCPU, ${memory}`,
      ...{ value: best?.blackoutMs ?? 0, unit: 'ms', aim: 1.2, atLeast: false },
      detail: `best of ${all.length}; median ${middle.toFixed(2)} ms; the next keeper's parts of the best in ms: ${parts.join(', ')}`,
    });
  }
  return rows;
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<Row>}
 */
async function many(env) {
  const names = Array.from({ length: tds }, (_, at) => `many-${at}`);
  const sim = ['--host', 'sim', '--kernel', 'rfc-migration-v2', '--start'];
  for (const name of names) {
    await tdctl(env, 'create', join(root, 'examples/hello.yaml'), '--name', name, ...sim);
  }
  const begun = performance.now();
  // Two at a time, as many as a small machine has CPUs.
  const rest = Array.from({ length: moves }, (_, at) => names[at % tds] ?? '');
  const work = async () => {
    for (let name = rest.shift(); name !== undefined; name = rest.shift()) await moved(env, name);
  };
  await Promise.all([work(), work()]);
  return {
    name: `${moves} moves of kept TDs on simulated machines`,
    ...{
      value: (performance.now() - begun) / 1000,
      unit: 's',
      aim: (30 * moves) / 100,
      atLeast: false,
    },
    detail: `${tds} TDs, two moves at a time, a process each`,
  };
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {string} name
 * @returns {Promise<{ blackoutMs: number, blackoutParts: { state: string, durationMs: number }[] }>}
 */
async function moved(env, name) {
  return JSON.parse(await tdctl(env, 'migrate', name, '-o', 'json'));
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {readonly string[]} args
 */
async function tdctl(env, ...args) {
  return (await promisify(execFile)(process.execPath, [main, ...args], { env })).stdout;
}
