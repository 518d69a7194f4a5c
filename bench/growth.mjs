// @ts-check
/**
 * What grows with what it is given, as whole processes: pictures of up to 2,000 states, the lint of a trace of a
 * million calls, `explain` over a log, `rehearse` of more TDs than there are key slots, `footprint` of as many kinds as
 * a file may have. Times are CPU times of the child. Works on the build output; `list` of many is in kept.mjs.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle, root } from './processes.mjs';

const modules = new URL('../build/modules/src/', import.meta.url);
const hello = join(root, 'examples/hello.yaml');
const calls = 1_000_000;
const logMib = 20;

/** @typedef {{ name: string, value: number, unit: string, aim: number, atLeast: boolean, detail: string }} Row */

/** @returns {Promise<Row[]>} */
export async function bench() {
  const folder = mkdtempSync(join(tmpdir(), 'tdctl-bench-growth-'));
  try {
    return [...pictures(), lint(folder), explain(folder), slots(), footprint(folder)];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** @returns {Row[]} */
function pictures() {
  const sizes = [200, 500, 1000, 2000];
  const times = sizes.map((states) => ({ states, seconds: picture(states) }));
  const steps = times.slice(1).map(({ states, seconds }, at) => {
    const before = times[at] ?? { states, seconds };
    const byNLogN = nLogN(states) / nLogN(before.states);
    return seconds / before.seconds / byNLogN;
  });
  const seconds = times.map((each) => `${each.states}: ${each.seconds.toFixed(1)} s`);
  return [
    {
      name: 'an SVG picture of 2,000 states that lead anywhere',
      value: times.at(-1)?.seconds ?? Number.NaN,
      unit: 's',
      aim: 30,
      atLeast: false,
      detail: `CPU time of a process, with its start; ${seconds.join(', ')}`,
    },
    {
      name: 'the steepest step between them against n log n',
      value: Math.max(...steps),
      unit: 'times',
      aim: 1,
      atLeast: false,
      detail: `the steps are ${steps.map((step) => step.toFixed(2)).join(', ')}; a knee would be one that is above 1`,
    },
  ];
}

/** @param {number} states */
function nLogN(states) {
  return states * Math.log(states);
}

/** @param {number} states */
function picture(states) {
  const render = new URL('visualize/render.js', modules).href;
  const options = { format: 'svg', direction: 'down', theme: 'light', active: [] };
  const script = `
    const { renderChart } = await import(${JSON.stringify(render)});
    const chart = (${chartOf})(${states});
    await renderChart(chart, { ...${JSON.stringify(options)}, onSlow: () => undefined });`;
  return run(['--input-type=module', '-e', script]).cpuSeconds;
}

/**
 * Each state leads to the next, and to one anywhere. It runs in the child.
 * @param {number} states
 */
function chartOf(states) {
  const none = {
    description: null,
    tags: [],
    entry: [],
    exit: [],
    invokes: [],
    history: null,
    step: null,
  };
  const ids = Array.from({ length: states }, (_, at) => `s${at}`);
  const atomic = { ...none, kind: 'atomic', initial: null, children: [] };
  const children = ids.map((id) => ({ ...atomic, id, key: id }));
  let seed = 1;
  const anywhere = () => {
    seed = (seed * 48_271) % 0x7fff_ffff;
    return seed % states;
  };
  const edges = ids.flatMap((source, at) =>
    [(at + 1) % states, anywhere()].map((to, which) => ({
      id: `e${2 * at + which + 1}`,
      name: `${source} go`,
      source,
      targets: [ids[to]],
      trigger: { type: 'event', event: `go.${at}` },
      guard: null,
      actions: [],
      reenter: false,
      description: null,
    })),
  );
  const root = { ...none, id: '', key: 'large', kind: 'compound', initial: 's0', children };
  return { id: 'large', version: 1, root, edges };
}

/** @param {string} folder @returns {Row} */
function lint(folder) {
  const file = join(folder, 'trace');
  const traced = run([
    bundle,
    'run',
    hello,
    '--host',
    'sim',
    '--until',
    'runnable',
    '--trace',
    '-',
  ]);
  const lines = traced.stdout.split('\n');
  const at = lines.findIndex((line) => line.includes('KVM_TDX_FINALIZE_VM'));
  if (at === -1) throw new Error('the trace of a run has no KVM_TDX_FINALIZE_VM');
  const entered = 'T0  vcpu#2.KVM_RUN(immediate_exit=0) = 0 <1000ns>\n'.repeat(calls);
  writeFileSync(
    file,
    [...lines.slice(0, at + 1), entered + lines.slice(at + 1).join('\n')].join('\n'),
  );
  const { residentMib, cpuSeconds } = run([bundle, 'trace', 'lint', file], [0, 6]);
  return {
    name: 'tdctl trace lint of 1,000,000 calls',
    value: residentMib,
    unit: 'MiB',
    aim: 120,
    atLeast: false,
    detail: `the most resident at once; ${cpuSeconds.toFixed(1)} s of CPU time`,
  };
}

/** @param {string} folder @returns {Row} */
function explain(folder) {
  const file = join(folder, 'log');
  const line =
    'Nov 30 07:00:00 node kernel: [ 1234.567890] systemd[1]: Started Session 42 of user root.\n';
  const short = join(folder, 'line');
  writeFileSync(short, line);
  writeFileSync(file, line.repeat(Math.ceil((logMib * 2 ** 20) / line.length)));
  const nothing = run([bundle, 'explain', short], [3]);
  const { cpuSeconds } = run([bundle, 'explain', file], [3]);
  return {
    name: 'tdctl explain over a log',
    value: logMib / (cpuSeconds - nothing.cpuSeconds),
    unit: 'MiB/s',
    aim: 30,
    atLeast: true,
    detail: `${logMib} MiB of lines that say nothing of TDX, the start of a process taken off`,
  };
}

/** @returns {Row} */
function slots() {
  const one = run([bundle, 'rehearse', hello, '--hops', '0']);
  const many = run([bundle, 'rehearse', hello, '--hops', '0', '--count', '1000'], [7]);
  return {
    name: 'rehearse of 1,000 TDs on 63 key slots against one TD',
    value: many.cpuSeconds / one.cpuSeconds,
    unit: 'times',
    aim: 1.1,
    atLeast: false,
    detail: `${many.cpuSeconds.toFixed(2)} s and ${one.cpuSeconds.toFixed(2)} s`,
  };
}

/** @param {string} folder @returns {Row} */
function footprint(folder) {
  const few = footprintOf(folder, 100);
  const many = footprintOf(folder, 1000);
  const refused = footprintOf(folder, 100_000, [5]);
  return {
    name: 'tdctl footprint of 1,000 kinds of VMs against 100',
    value: many / few,
    unit: 'times',
    aim: 10,
    atLeast: false,
    detail: `${many.toFixed(2)} s and ${few.toFixed(2)} s; 100,000 are more than a file may have, which is said after ${refused.toFixed(2)} s`,
  };
}

/** @param {string} folder @param {number} kinds @param {number[]} [allowed] */
function footprintOf(folder, kinds, allowed) {
  const file = join(folder, `fleet-${kinds}`);
  const vms = Array.from(
    { length: kinds },
    (_, at) =>
      `    - { name: kind-${at}, count: 3, vcpus: ${1 + (at % 8)}, maxVcpus: ${8 + (at % 56)} }`,
  );
  const head = ['apiVersion: tdctl.io/v1alpha1', 'kind: Fleet', 'metadata: { name: many }'];
  writeFileSync(file, [...head, 'spec:', '  vms:', ...vms, ''].join('\n'));
  return run([bundle, 'footprint', '--fleet', file], allowed).cpuSeconds;
}

/**
 * The child tells what it used itself.
 * @param {string[]} args
 * @param {number[]} allowed
 */
function run(args, allowed = [0]) {
  const loaded = ['--require', join(root, 'bench/tell-use.cjs')];
  const options = { encoding: /** @type {const} */ ('utf8'), maxBuffer: 2 ** 28 };
  const { status, stdout, stderr } = spawnSync(process.execPath, [...loaded, ...args], options);
  const used = /used (\d+) (\d+)/.exec(stderr);
  if (!allowed.includes(status ?? -1) || !used) {
    throw new Error(`node ${args.join(' ').slice(0, 200)} ended with ${status}: ${stderr}`);
  }
  return { stdout, cpuSeconds: Number(used[1]) / 1e6, residentMib: Number(used[2]) / 1024 };
}
