// @ts-check
/**
 * Speed of rehearsals: moves in a second, a fault at every call, pairs of faults, and whether memory
 * stays flat over many runs. Works on the build output.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { steadyRates } from './steady.mjs';

const sources = new URL('../build/modules/src/', import.meta.url);
/** @param {string} path */
const load = (path) => import(new URL(path, sources).href);

const { openSimulatedHost } = await load('host/simulated/index.js');
const { loadTrustDomain } = await load('spec/index.js');
const { loadFirmware } = await load('firmware/index.js');
const { planTd } = await load('plan/index.js');
const { askHost } = await load('plan/judge/index.js');
const {
  pairCount,
  pairsOf,
  rehearseSimulated,
  representative,
  singleFaults,
  standardScenario,
  sweep,
} = await load('rehearsal/index.js');

/** @typedef {{ name: string, value: number, unit: string, aim: number, atLeast: boolean, detail: string }} Row */

const place = { profile: 'spr-1.5', kernelAbi: 'rfc-migration-v2' };
const rounds = 5;
const hops = 200;
const pairSample = 1500;
// FLAT_RUNS=100000 is the long proof; it takes minutes.
const flatRuns = Number(process.env.FLAT_RUNS ?? 10_000);
// Compiled code and the inline caches of V8 grow for the first few thousand runs.
const warmUpRuns = 4000;

const plan = await helloPlan();
/** @param {number} moves */
const scenario = (moves) => standardScenario({ plan, count: 1, hops: moves, checks: 'all' });

/** @returns {Promise<Row[]>} */
export async function bench() {
  const { trace } = await rehearseSimulated(place, { scenario: scenario(1), traced: true });
  const singles = singleFaults(trace);
  return [await moves(), await each(singles), await pairs(singles), await flat()];
}

/** @returns {Promise<Row>} */
async function moves() {
  const { rates } = await steadyRates(async () => {
    const { cpuSeconds } = await timed(() =>
      rehearseSimulated(place, { scenario: scenario(hops) }),
    );
    return hops / cpuSeconds;
  }, rounds);
  return {
    name: 'migrations rehearsed, without faults',
    value: median(rates),
    unit: 'a CPU second',
    aim: 900,
    atLeast: true,
    detail: `a TD with 4 vCPUs moved ${hops} times, building and teardown of it included; median of ${rounds} rounds, ${Math.round(Math.min(...rates))} to ${Math.round(Math.max(...rates))}`,
  };
}

/** @param {unknown[]} singles @returns {Promise<Row>} */
async function each(singles) {
  const { rates } = await steadyRates(async () => {
    const { cpuSeconds } = await timed(() =>
      sweep({ place, scenario: scenario(1), cases: singles }),
    );
    return singles.length / cpuSeconds;
  }, 3);
  return {
    name: '--faults each, runs of a TD with 4 vCPUs',
    value: median(rates),
    unit: 'a CPU second',
    aim: 550,
    atLeast: true,
    detail: `${singles.length} runs a round, ${rates.map(Math.round).join(', ')}; the aims are those of Node 24`,
  };
}

/** @param {unknown[]} singles @returns {Promise<Row>} */
async function pairs(singles) {
  const chosen = representative(singles);
  const count = pairCount(chosen);
  const every = Math.ceil(count / pairSample);
  const sample = [...pairsOf(chosen)].filter((_, index) => index % every === 0);
  const { cpuSeconds } = await timed(() => sweep({ place, scenario: scenario(1), cases: sample }));
  return {
    name: '--faults pairs, from a sample',
    value: (cpuSeconds * count) / sample.length,
    unit: 'CPU s',
    aim: 300,
    atLeast: false,
    detail: `${sample.length} of ${count} pairs played, every ${every}th`,
  };
}

/** @returns {Promise<Row>} */
async function flat() {
  const one = scenario(1);
  /** @param {number} runs */
  const play = async (runs) => {
    for (let run = 0; run < runs; run++) await rehearseSimulated(place, { scenario: one });
    return heapAfterCollection();
  };
  const before = await play(warmUpRuns);
  const after = await play(flatRuns);
  return {
    name: 'heap that a rehearsal leaves behind',
    value: Math.max(0, after - before) / flatRuns,
    unit: 'bytes a run',
    aim: 64,
    atLeast: false,
    detail: `${(before / 2 ** 20).toFixed(1)} MiB after ${warmUpRuns} runs, ${(after / 2 ** 20).toFixed(1)} MiB after ${flatRuns} more`,
  };
}

async function helloPlan() {
  const host = openSimulatedHost(place);
  const spec = await loadTrustDomain(new URL('../examples/hello.yaml', import.meta.url).pathname);
  const firmware = await loadFirmware(spec.firmware);
  const made = planTd({ spec, firmware, host: await askHost(host) });
  await host.close();
  return made;
}

/** @param {() => Promise<unknown>} work */
async function timed(work) {
  const start = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(start);
  return { cpuSeconds: (user + system) / 1e6 };
}

function heapAfterCollection() {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

/** @param {number[]} values */
function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
