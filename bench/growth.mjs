// @ts-check
/**
 * What grows with what it is given, as whole processes: a picture of 2,000 states against one of 200, the lint
 * of a trace of a million calls, `explain` over a log, and `rehearse` of more TDs than there are key slots.
 * Times are CPU times of the child. Works on the build output.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const dist = new URL('../build/modules/src/', import.meta.url);
const main = fileURLToPath(new URL('cli/main.js', dist));
const hello = fileURLToPath(new URL('../examples/hello.yaml', import.meta.url));
const calls = 1_000_000;
const logMib = 20;

/** @typedef {{ name: string, value: number, unit: string, aim: number, atLeast: boolean, detail: string }} Row */

/** @returns {Promise<Row[]>} */
export async function bench() {
  const folder = mkdtempSync(join(tmpdir(), 'tdctl-bench-growth-'));
  try {
    return [...pictures(), lint(folder), explain(folder), slots()];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** @returns {Row[]} */
function pictures() {
  const small = picture(200);
  const large = picture(2000);
  return [
    {
      name: 'a picture of 2,000 states that lead anywhere',
      value: large,
      unit: 's',
      aim: 30,
      atLeast: false,
      detail: `CPU time of a process; 200 states take ${small.toFixed(1)} s`,
    },
    {
      name: 'a picture of 2,000 states against one of 200',
      value: large / small,
      unit: 'times',
      // Ten times the states, by n log n.
      aim: (10 * Math.log(2000)) / Math.log(200),
      atLeast: false,
      detail: 'both in this run',
    },
  ];
}

/** @param {number} states */
function picture(states) {
  const layout = new URL('visualize/layout/layout.js', dist).href;
  const script = `
    const { layOutChart } = await import(${JSON.stringify(layout)});
    const chart = (${chartOf})(${states});
    await layOutChart(chart, { direction: 'down' });`;
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
  const traced = run([main, 'run', hello, '--host', 'sim', '--until', 'runnable', '--trace', '-']);
  const lines = traced.stdout.split('\n');
  const at = lines.findIndex((line) => line.includes('KVM_TDX_FINALIZE_VM'));
  if (at === -1) throw new Error('the trace of a run has no KVM_TDX_FINALIZE_VM');
  const entered = 'T0  vcpu#2.KVM_RUN(immediate_exit=0) = 0 <1000ns>\n'.repeat(calls);
  writeFileSync(
    file,
    [...lines.slice(0, at + 1), entered + lines.slice(at + 1).join('\n')].join('\n'),
  );
  const { residentMib, cpuSeconds } = run([main, 'trace', 'lint', file], [0, 6]);
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
  const nothing = run([main, 'explain', short], [3]);
  const { cpuSeconds } = run([main, 'explain', file], [3]);
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
  const one = run([main, 'rehearse', hello, '--hops', '0']);
  const many = run([main, 'rehearse', hello, '--hops', '0', '--count', '1000'], [7]);
  return {
    name: 'rehearse of 1,000 TDs on 63 key slots against one TD',
    value: many.cpuSeconds / one.cpuSeconds,
    unit: 'times',
    aim: 1.1,
    atLeast: false,
    detail: `${many.cpuSeconds.toFixed(2)} s and ${one.cpuSeconds.toFixed(2)} s`,
  };
}

/**
 * The child tells what it used itself.
 * @param {string[]} args
 * @param {number[]} allowed
 */
function run(args, allowed = [0]) {
  const report =
    "process.on('exit', () => { const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage(); " +
    "process._rawDebug('used', userCPUTime + systemCPUTime, maxRSS); })";
  const loaded = ['--import', `data:text/javascript,${encodeURIComponent(report)}`];
  const options = { encoding: /** @type {const} */ ('utf8'), maxBuffer: 2 ** 28 };
  const { status, stdout, stderr } = spawnSync(process.execPath, [...loaded, ...args], options);
  const used = /used (\d+) (\d+)/.exec(stderr);
  if (!allowed.includes(status ?? -1) || !used) {
    throw new Error(`node ${args.join(' ').slice(0, 200)} ended with ${status}: ${stderr}`);
  }
  return { stdout, cpuSeconds: Number(used[1]) / 1e6, residentMib: Number(used[2]) / 1024 };
}
