// @ts-check
/**
 * The example guest on real VMs of this machine: how soon it speaks, how long pauses and moves keep it from
 * running, by part, and whether it misses anything after many of them. Works on the build output.
 */
import { accessSync, constants } from 'node:fs';

const modules = new URL('../build/modules/', import.meta.url);
/** @param {string} path */
const load = (path) => import(new URL(path, modules).href);

const { loadAddon } = await load('native/index.js');
const { openSoftHost } = await load('src/host/soft/soft-host.js');
const { loadTrustDomain } = await load('src/spec/index.js');
const { loadFirmware } = await load('src/firmware/index.js');
const { planTd } = await load('src/plan/index.js');
const { askHost } = await load('src/plan/judge/index.js');
const { ExampleGuestJudge } = await load('src/guest/index.js');
const { startTd } = await load('src/orchestrator/index.js');
const { rehearseSimulated, standardScenario } = await load('src/rehearsal/index.js');

/** @typedef {{ name: string, ratio: number | null, aim: number, detail: string }} RatioRow */
/** @typedef {{ name: string, value: number, unit: string, aim: number, atLeast: boolean, detail: string }} ValueRow */

const place = { kind: 'soft', profile: 'spr-1.5', kernelAbi: 'rfc-migration-v2' };
// GUEST_PAUSES=10000 GUEST_MOVES=1000 is the long proof; it takes half an hour.
const pauses = Number(process.env.GUEST_PAUSES ?? 200);
const moves = Number(process.env.GUEST_MOVES ?? 50);
const movesOfSize = 30;
const starts = 15;
const MIB = 1n << 20n;

const spec = await loadTrustDomain(new URL('../examples/hello.yaml', import.meta.url).pathname);
const firmware = await loadFirmware(spec.firmware);

/** @returns {Promise<(RatioRow | ValueRow)[]>} */
export async function bench() {
  const missing = whyNot();
  if (missing !== undefined) {
    return [{ name: 'the example guest', ratio: null, aim: 1, detail: `not measured: ${missing}` }];
  }
  return [
    await firstByte(),
    ...(await pausesOf(1)),
    ...(await pausesOf(4)),
    ...(await movesOf(1, 0.6)),
    ...(await movesOf(4, 8)),
    await bySize(),
  ];
}

function whyNot() {
  if (!loadAddon().available) return 'the native addon is not built';
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
    return undefined;
  } catch {
    return '/dev/kvm cannot be opened';
  }
}

/**
 * @param {any} host
 * @param {{ vcpus: number, memoryBytes?: bigint }} size
 */
async function planOf(host, { vcpus, memoryBytes = spec.memoryBytes }) {
  const td = { ...spec, vcpus, maxVcpus: vcpus, memoryBytes };
  return planTd({ spec: td, firmware, host: await askHost(host) });
}

/** @returns {Promise<ValueRow>} */
async function firstByte() {
  const host = await openSoftHost(place);
  const plan = await planOf(host, { vcpus: 1 });
  const times = [];
  for (let at = 0; at < starts; at += 1) {
    const began = performance.now();
    const { td, spoke } = live(host, plan);
    await td.runnable;
    td.send({ type: 'td.start' });
    await spoke;
    times.push(performance.now() - began);
    td.stop();
    await td.ended;
  }
  await host.close();
  const { best, p50 } = ranks(times);
  const detail = `best ${best.toFixed(1)} ms, p50, of ${starts}; the TD is built in it`;
  const name = 'start of the example guest, 1 vCPU, to its first byte';
  return { name, value: p50, unit: 'ms', aim: 60, atLeast: false, detail };
}

/**
 * @param {any} host
 * @param {any} plan
 */
function live(host, plan) {
  const judge = new ExampleGuestJudge();
  /** @type {() => void} */
  let speak = () => {};
  const spoke = /** @type {Promise<void>} */ (
    new Promise((resolve) => {
      speak = resolve;
    })
  );
  const console = {
    /** @type {(bytes: Uint8Array, lostBytes: number) => void} */
    console: (bytes, lostBytes) => {
      judge.hear(bytes, lostBytes);
      speak();
    },
    debugConsole: () => {},
  };
  return { td: startTd({ host, plan, console, onEvent: () => {} }), judge, spoke };
}

/**
 * @param {number} vcpus
 * @returns {Promise<ValueRow[]>}
 */
async function pausesOf(vcpus) {
  const host = await openSoftHost(place);
  const { td, judge, spoke } = live(host, await planOf(host, { vcpus }));
  await td.runnable;
  td.send({ type: 'td.start' });
  await td.reaches('running');
  await spoke;
  const times = [];
  for (let at = 0; at < pauses; at += 1) {
    const began = performance.now();
    td.send({ type: 'td.pause' });
    await td.reaches('paused');
    times.push(performance.now() - began);
    td.send({ type: 'td.resume' });
    await td.reaches('running');
    // So that it is at another place each time.
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  td.stop();
  await td.ended;
  await host.close();
  const { vcpus: heard, garbled, lostBytes } = judge.verdict();
  let lost = garbled.total + lostBytes;
  let counts = 0;
  for (const each of heard) {
    lost += each.lost.total + each.gaps.total + each.repeats.total + each.hellos - 1;
    counts += each.counts;
  }
  const { best, p50, p95 } = ranks(times);
  const detail = `p50 of the whole step ${p50.toFixed(2)} ms, best ${best.toFixed(2)}, p95 ${p95.toFixed(2)}; ${counts} counts`;
  const name = `lost in ${pauses} pauses, ${named(vcpus)}`;
  return [{ name, value: lost, unit: '', aim: 0, atLeast: false, detail }];
}

/**
 * @param {{ vcpus: number, memoryBytes?: bigint, hops: number }} move
 * @returns {Promise<{ violations: readonly unknown[], blackouts: readonly { ms: number, parts: readonly { step: string, ms: number }[] }[] }>}
 */
async function rehearsed({ hops, ...size }) {
  const host = await openSoftHost(place);
  const plan = await planOf(host, size);
  await host.close();
  const scenario = standardScenario({ plan, count: 1, hops, checks: 'all' });
  const { violations, record } = await rehearseSimulated(place, { scenario });
  return { violations, blackouts: record.blackouts };
}

/**
 * @param {number} vcpus
 * @param {number} aim
 * @returns {Promise<ValueRow[]>}
 */
async function movesOf(vcpus, aim) {
  const { violations, blackouts } = await rehearsed({ vcpus, hops: moves });
  const { best, p50 } = ranks(blackouts.map(({ ms }) => ms));
  const steps = blackouts[0]?.parts.map(({ step }) => step) ?? [];
  const parts = steps.map((step) => {
    const times = blackouts.flatMap(({ parts }) =>
      parts.filter((part) => part.step === step).map(({ ms }) => ms),
    );
    const { best, p50 } = ranks(times);
    return `${step} ${best.toFixed(2)}/${p50.toFixed(2)}`;
  });
  return [
    {
      name: `blackout of a move, ${named(vcpus)}, best`,
      value: best,
      unit: 'ms',
      aim,
      atLeast: false,
      detail: `p50 ${p50.toFixed(2)} ms of ${blackouts.length}; best/p50 by part in ms: ${parts.join(', ')}`,
    },
    {
      name: `invariants broken in ${moves} moves, ${named(vcpus)}`,
      value: violations.length + moves - blackouts.length,
      unit: '',
      aim: 0,
      atLeast: false,
      detail: 'after each move every vCPU is waited for until it has counted on',
    },
  ];
}

/** @returns {Promise<RatioRow>} */
async function bySize() {
  const bests = [];
  for (const mib of [64n, 512n, 4096n]) {
    const { blackouts } = await rehearsed({ vcpus: 1, memoryBytes: mib * MIB, hops: movesOfSize });
    bests.push({ mib, best: ranks(blackouts.map(({ ms }) => ms)).best });
  }
  const times = bests.map(({ best }) => best);
  return {
    name: 'blackout with 64 MiB to 4 GiB, the longest best by the shortest',
    ratio: Math.max(...times) / Math.min(...times),
    aim: 2,
    detail: bests.map(({ mib, best }) => `${mib} MiB ${best.toFixed(2)} ms`).join(', '),
  };
}

/** @param {number[]} times */
function ranks(times) {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (/** @type {number} */ part) => sorted[Math.floor(part * sorted.length)] ?? Number.NaN;
  return { best: at(0), p50: at(0.5), p95: at(0.95) };
}

/** @param {number} vcpus */
function named(vcpus) {
  return `${vcpus} vCPU${vcpus > 1 ? 's' : ''}`;
}
