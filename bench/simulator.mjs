// @ts-check
/**
 * Speed of the simulated host: ioctls at the port, whole TD lives through the statechart, and what
 * a live TD costs in time and memory when there are many. Works on the build output.
 */
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { steadyRates } from './steady.mjs';

const sources = new URL('../build/modules/src/', import.meta.url);
/** @param {string} path */
const load = (path) => import(new URL(path, sources).href);

const { openSimulatedHost } = await load('host/simulated/index.js');
const { hostProfiles } = await load('simulator/index.js');
const { startTd } = await load('orchestrator/index.js');
const { predictMrtd } = await load('firmware/index.js');

/** @typedef {{ name: string, value: number, unit: string, aim: number, atLeast: boolean, detail: string }} Row */

const vcpus = 4;
const rounds = 5;
const secondsPerRound = 1;

/** More key slots than any real host has, so that many TDs can live at once. */
const roomy = {
  ...hostProfiles['spr-1.5'],
  name: 'roomy',
  platform: { ...hostProfiles['spr-1.5'].platform, keyIds: { mktme: 0, tdxPrivate: 20_000 } },
};

/** @returns {Promise<Row[]>} */
export async function bench() {
  return [
    await ioctlsAtThePort(),
    await livesThroughTheChart(),
    ...(await manyTds()),
    await besideMappings(),
  ];
}

/** @returns {Promise<Row>} */
async function ioctlsAtThePort() {
  const { rates, per } = await measure(async () => {
    const host = openSimulatedHost();
    let ioctls = 0;
    host.onCall((/** @type {{ kind: string }} */ event) => {
      if (event.kind === 'ioctl') ioctls++;
    });
    await (await buildTd(host, await initVmParams(host))).close();
    const counted = ioctls;
    const quiet = openSimulatedHost();
    const params = await initVmParams(quiet);
    return { per: counted, life: async () => (await buildTd(quiet, params)).close() };
  });
  return {
    name: 'simulated ioctls at the port, in whole TDs',
    value: median(rates),
    unit: 'a CPU second',
    aim: 200_000,
    atLeast: true,
    detail: `${per} ioctls for a TD with ${vcpus} vCPUs, closes not counted; median of ${rounds} rounds, ${spread(rates)}`,
  };
}

/** @returns {Promise<Row>} */
async function livesThroughTheChart() {
  const host = openSimulatedHost();
  const plan = await planWithoutSections(host);
  const { rates } = await measure(async () => ({
    per: 1,
    life: async () => {
      const run = startTd({ host, plan, onEvent: ignore, tellsRequests: false });
      if (!(await run.runnable)) throw new Error(JSON.stringify((await run.ended).error));
      run.stop();
      await run.ended;
    },
  }));
  return {
    name: `whole TD lives through the statechart, ${vcpus} vCPUs, no firmware`,
    value: median(rates),
    unit: 'a CPU second',
    aim: Number(process.versions.node.split('.')[0]) >= 24 ? 2_400 : 1_500,
    atLeast: true,
    detail: `nobody hears of single requests; median of ${rounds} rounds, ${spread(rates)}`,
  };
}

/** @returns {Promise<Row[]>} */
async function manyTds() {
  const few = await hostWith(10);
  const before = heapBytes();
  const many = await hostWith(10_000);
  const bytes = (heapBytes() - before) / many.alive.length;
  // In turn, so that a slow moment of the machine and of the collector meets both.
  await Promise.all([probe(few), probe(many)]);
  const perTdOfFew = [];
  const perTdOfMany = [];
  for (let round = 0; round < rounds * 4; round++) {
    perTdOfFew.push(await probe(few));
    perTdOfMany.push(await probe(many));
  }
  for (const { alive, host } of [few, many]) {
    for (const td of alive) await td.close();
    const { keySlots } = host.snapshot();
    if (keySlots.free !== keySlots.total) throw new Error('key slots were lost');
  }
  const growth = median(perTdOfMany) / median(perTdOfFew);
  return [
    {
      name: `time of a TD beside 10000 live ones, against beside 10`,
      value: growth,
      unit: 'times',
      aim: 1.3,
      atLeast: false,
      detail: `${median(perTdOfMany).toFixed(0)} us and ${median(perTdOfFew).toFixed(0)} us of CPU time for each`,
    },
    {
      name: `memory of a live TD with ${vcpus} vCPUs`,
      value: bytes,
      unit: 'bytes',
      aim: 32_768,
      atLeast: false,
      detail: `heap after a full collection, of 10000 TDs with their port objects`,
    },
  ];
}

/** @returns {Promise<Row>} */
async function besideMappings() {
  const perTd = [];
  for (const mappings of [0, 16_000]) {
    const host = openSimulatedHost();
    const params = await initVmParams(host);
    for (let i = 0; i < mappings; i++) await host.mapMemory({ sizeBytes: 4096n });
    const times = [];
    for (let round = -1; round < rounds; round++) {
      const before = process.cpuUsage();
      for (let td = 0; td < 20; td++) {
        const memory = await host.mapMemory({ sizeBytes });
        const { close } = await buildTd(host, { ...params, memory, initialPages: 1024 });
        await close();
        await memory.close();
      }
      const { user, system } = process.cpuUsage(before);
      if (round >= 0) times.push((user + system) / 20_000);
    }
    perTd.push(median(times));
  }
  const [alone = 0, beside = 0] = perTd;
  return {
    name: 'time of a TD with 1,024 pages beside 16,000 mappings, against none',
    value: beside / alone,
    unit: 'times',
    aim: 1.3,
    atLeast: false,
    detail: `${beside.toFixed(1)} ms and ${alone.toFixed(1)} ms of CPU time for each`,
  };
}

/** @param {number} count */
async function hostWith(count) {
  const host = openSimulatedHost({ profile: roomy });
  const params = await initVmParams(host);
  const alive = [];
  for (let i = 0; i < count; i++) alive.push(await buildTd(host, params));
  return { host, params, alive };
}

/**
 * CPU microseconds to build a TD and close it.
 * @param {{ host: any, params: any }} options
 */
async function probe({ host, params }) {
  const tds = 200;
  const before = process.cpuUsage();
  for (let i = 0; i < tds; i++) await (await buildTd(host, params)).close();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / tds;
}

/**
 * Rounds of a second each, after those to warm up. Rates are by the CPU time of this process, which
 * is that of one core: what else the machine does would show in wall time.
 * @param {() => Promise<{ per: number, life: () => Promise<void> }>} prepare
 */
async function measure(prepare) {
  const { per, life } = await prepare();
  const round = async () => {
    const start = performance.now();
    const cpuBefore = process.cpuUsage();
    let lives = 0;
    while (performance.now() - start < secondsPerRound * 1000) {
      for (let i = 0; i < 20; i++) await life();
      lives += 20;
      await setImmediate();
    }
    const { user, system } = process.cpuUsage(cpuBefore);
    return (lives * per * 1e6) / (user + system);
  };
  return { ...(await steadyRates(round, rounds)), per };
}

/**
 * A TD from KVM_CREATE_VM to KVM_TDX_FINALIZE_VM, as a VMM builds it, without initial pages.
 * @param {any} host
 * @param {any} params
 */
async function buildTd(host, params) {
  const vm = await host.createVm({ type: 'KVM_X86_TDX_VM' });
  await vm.enableCap({ capability: 'KVM_CAP_SPLIT_IRQCHIP', args: [24n] });
  await vm.checkExtension('KVM_CAP_MAX_VCPUS');
  await vm.enableCap({ capability: 'KVM_CAP_MAX_VCPU_ID', args: [BigInt(vcpus)] });
  await vm.tdxInitVm(params.initVm);
  /** @type {any[]} */
  const made = [];
  for (let id = 0; id < vcpus; id++) {
    const vcpu = await vm.createVcpu({ id });
    await vcpu.setCpuid2({ entries: params.cpuid });
    await vcpu.tdxInitVcpu({ initialRcx: 0n });
    made.push(vcpu);
  }
  const memory = await vm.createGuestMemfd({ sizeBytes });
  const guestMemory = { memory, offsetBytes: 0n };
  await vm.setUserMemoryRegion2({
    slot: 0,
    gpa: 0n,
    sizeBytes,
    memory: params.memory,
    memoryOffsetBytes: 0n,
    guestMemory,
  });
  await vm.setMemoryAttributes({ gpa: 0n, sizeBytes, isPrivate: true });
  const { initialPages: pages = 0, memory: source } = params;
  if (pages > 0) {
    const place = { source, sourceOffsetBytes: 0n, gpa: 0n };
    await made[0].tdxInitMemRegion({ ...place, pages, measure: true });
  }
  await vm.tdxFinalizeVm();
  return {
    close: async () => {
      for (const each of [memory, ...made, vm]) await each.close();
    },
  };
}

const sizeBytes = 128n << 20n;

/** @param {any} host */
async function initVmParams(host) {
  const addressWidths = { function: 0x8000_0008, index: 0, flags: 0, eax: 48 << 16 };
  const leaf1 = { function: 1, index: 0, flags: 0, eax: 0, ebx: 0, ecx: 1 << 21, edx: 0 };
  const identity = new Uint8Array(48);
  return {
    initVm: {
      attributes: 1n << 28n,
      xfam: 3n,
      mrConfigId: identity,
      mrOwner: identity,
      mrOwnerConfig: identity,
      cpuid: [{ ...addressWidths, ebx: 0, ecx: 0, edx: 0 }],
    },
    cpuid: [leaf1],
    memory: await host.mapMemory({ sizeBytes }),
  };
}

/**
 * What planTd would make of a TrustDomain, if an image without sections could be loaded.
 * @param {any} host
 */
async function planWithoutSections(host) {
  const facts = await host.facts();
  const { mrtd } = predictMrtd({ bytes: new Uint8Array(0), sections: [] }, { order: 'page' });
  const identity = new Uint8Array(48);
  return {
    spec: {
      name: 'bench',
      vcpus,
      maxVcpus: vcpus,
      memoryBytes: sizeBytes,
      attributes: 1n << 28n,
      xfam: undefined,
      tscKhz: undefined,
      gpaw: 48,
      identity: { mrConfigId: identity, mrOwner: identity, mrOwnerConfig: identity },
    },
    facts,
    vcpuIds: Array.from({ length: vcpus }, (_, id) => id),
    layout: {
      slots: [{ slot: 0, holds: 'ram', gpa: 0n, sizeBytes }],
      initialPages: [],
      hobAddress: 0n,
    },
    predictedMrtd: mrtd,
  };
}

function ignore() {}

function heapBytes() {
  collectGarbage();
  return process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
}

/** As `node --expose-gc` has it, for a script that npm starts without flags. */
function collectGarbage() {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}

/** @param {number[]} values */
function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** @param {number[]} values */
function spread(values) {
  return `${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)}`;
}
