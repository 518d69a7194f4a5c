// @ts-check
/**
 * A shared host, which is a process of its own: what a call through its socket costs, and one of a program that `tdctl exec
 * --on` has started, beside one that `tdctl exec` of one program answers, what calls cost that are made together, and a whole TD beside one on a machine in this process.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { machineCallsNs } from './exec.mjs';

const tdctl = join(import.meta.dirname, '../dist/tdctl.js');
const sources = new URL('../build/modules/src/', import.meta.url);
/** @param {string} path */
const load = (path) => import(new URL(path, sources).href);

const { openSharedHost } = await load('host/shared/index.js');
const { openSimulatedHost } = await load('host/simulated/index.js');

/** @typedef {import('./run.mjs').RatioRow | import('./run.mjs').ValueRow} Row */

const name = 'bench';
const together = 64;
const lives = 200;

/** @returns {Promise<Row[]>} */
export async function bench() {
  const state = mkdtempSync(join(tmpdir(), 'tdctl-bench-'));
  try {
    run(state, ['host', 'start', name, '--host', 'sim:spr-1.5']);
    const host = await openSharedHost(join(state, 'host', name, 'control.sock'));
    const rows = await rowsOf(host, { ...process.env, TDCTL_STATE_DIR: state });
    await host.close();
    run(state, ['host', 'stop', name, '--now']);
    return rows;
  } finally {
    rmSync(state, { recursive: true });
  }
}

function run(/** @type {string} */ state, /** @type {string[]} */ args) {
  const env = { ...process.env, TDCTL_STATE_DIR: state };
  const { status, stderr } = spawnSync(process.execPath, [tdctl, ...args], {
    env,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`tdctl ${args.join(' ')}: ${stderr}`);
}

/** @returns {Promise<Row[]>} */
async function rowsOf(/** @type {any} */ host, /** @type {NodeJS.ProcessEnv} */ env) {
  const ask = () => host.checkExtension('KVM_CAP_MAX_VCPUS');
  await medianNs(2000, ask);
  const oneNs = await medianNs(2000, ask);
  const manyNs = await medianNs(200, () => Promise.all(Array.from({ length: together }, ask)));
  const [execs, doors] = machineCallsNs([[], ['--on', name]], env) ?? [];
  const [best, door, exec] = [execs?.[0], doors?.[0], execs?.[execs.length >> 1]];
  const direct = openSimulatedHost({ profile: 'spr-1.5' });
  const [through, beside] = [await livesNs(host), await livesNs(direct)];
  const micros = (/** @type {number} */ ns) => `${(ns / 1000).toFixed(1)} µs`;
  return [
    {
      name: 'a call through a shared host, against one under exec',
      ratio: exec === undefined ? null : oneNs / exec,
      aim: 1,
      detail: `${micros(oneNs)} beside ${exec === undefined ? 'nothing' : micros(exec)}, medians`,
    },
    {
      name: 'a call of a program under exec --on, against one under exec',
      ratio: best === undefined || door === undefined ? null : door / best,
      aim: 1.05,
      detail:
        best === undefined || door === undefined
          ? 'nothing is supervised here'
          : `${micros(door)} beside ${micros(best)}, the best of eight medians`,
    },
    {
      name: `a call of ${together} that are made together`,
      value: manyNs / together / 1000,
      unit: 'µs',
      aim: 15,
      atLeast: false,
      detail: `${micros(manyNs)} for all of them, median`,
    },
    {
      name: 'a TD of 4 vCPUs on a shared host, against one in this process',
      ratio: through / beside,
      aim: 30,
      detail: `${micros(through)} beside ${micros(beside)}, from KVM_CREATE_VM to KVM_TDX_FINALIZE_VM and out again`,
    },
  ];
}

async function medianNs(/** @type {number} */ times, /** @type {() => Promise<unknown>} */ act) {
  /** @type {number[]} */
  const taken = [];
  for (let time = 0; time < times; time++) {
    const start = process.hrtime.bigint();
    await act();
    taken.push(Number(process.hrtime.bigint() - start));
  }
  return taken.sort((a, b) => a - b)[times >> 1] ?? Number.NaN;
}

async function livesNs(/** @type {any} */ host) {
  const params = await initVmParams(host);
  await medianNs(lives, () => life(host, params));
  return medianNs(lives, () => life(host, params));
}

async function initVmParams(/** @type {any} */ host) {
  const vm = await host.createVm({ type: 'KVM_X86_TDX_VM' });
  const { supportedXfam: xfam } = await vm.tdxCapabilities();
  await vm.close();
  const identity = new Uint8Array(48);
  const ids = { mrConfigId: identity, mrOwner: identity, mrOwnerConfig: identity };
  return { attributes: 0n, xfam, ...ids, cpuid: widthOnly };
}

/** The guest physical address width is the one leaf that KVM asks for. */
const widthOnly = [
  { function: 0x8000_0008, index: 0, flags: 0, eax: 48 << 16, ebx: 0, ecx: 0, edx: 0 },
];

async function life(/** @type {any} */ host, /** @type {any} */ params) {
  const vm = await host.createVm({ type: 'KVM_X86_TDX_VM' });
  await vm.enableCap({ capability: 'KVM_CAP_SPLIT_IRQCHIP', args: [24n] });
  await vm.tdxInitVm(params);
  const vcpus = [];
  for (let id = 0; id < 4; id++) vcpus.push(await vm.createVcpu({ id }));
  for (const vcpu of vcpus) {
    await vcpu.setCpuid2({ entries: await vcpu.tdxGetCpuid() });
    await vcpu.tdxInitVcpu({ initialRcx: 0n });
  }
  await vm.tdxFinalizeVm();
  for (const vcpu of vcpus) await vcpu.close();
  await vm.close();
}
