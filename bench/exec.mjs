// @ts-check
/**
 * `tdctl exec`: what a trapped call costs, by who answers it, on one CPU and on two, as a multiple of the
 * same call under a supervisor that does nothing but answer; and how long QEMU takes from its start to
 * FINALIZE_VM and out again.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadAddon } from './load-addon.mjs';

const tdctl = join(import.meta.dirname, '../dist/tdctl.js');
const qemuFolder = join(import.meta.dirname, '../test/exec/qemu/unpacked');

/** @typedef {import('./run.mjs').RatioRow | import('./run.mjs').ValueRow} Row */

const callKinds = [
  { kind: 'pass-through', name: 'an ioctl let through to the kernel', aim: 2.1 },
  { kind: 'thread', name: 'answered by the thread (identity, closes looked at)', aim: 2.1 },
  { kind: 'machine', name: 'answered by the simulated machine, in JavaScript', aim: 3.5 },
  { kind: 'open-close', name: 'open and close of another file', aim: 3.5 },
];
const qemuAim = 0.34;

/** @returns {Promise<Row[]>} */
export async function bench() {
  if (!loadAddon().available) return notMeasured('the native addon is not built');
  const directory = mkdtempSync(join(tmpdir(), 'tdctl-bench-'));
  try {
    const program = compile(directory);
    if (!program) return notMeasured('no C compiler');
    return [...calls(program), ...qemuStart(directory)];
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** @returns {Row[]} */
function notMeasured(/** @type {string} */ reason) {
  console.log(`exec: not measured: ${reason}`);
  return [];
}

/** @returns {string | undefined} */
function compile(/** @type {string} */ directory) {
  const program = join(directory, 'exec-calls');
  const source = join(import.meta.dirname, 'exec-calls.c');
  const { status } = spawnSync(process.env.CC ?? 'cc', ['-O2', '-o', program, source], {
    stdio: 'inherit',
  });
  return status === 0 ? program : undefined;
}

/** @returns {Row[]} */
function calls(/** @type {string} */ program) {
  const sizes = ['50', '200'];
  const places = [
    { place: 'one CPU', before: ['taskset', '-c', '0'] },
    { place: 'two CPUs', before: [] },
  ];
  return places.flatMap(({ place, before }) => {
    const bare = [...before, program, ...sizes, 'bare'];
    const ours = [...before, process.execPath, tdctl, 'exec', '-q', '--', program, ...sizes];
    const rounds = Array.from({ length: 5 }, () => ({ bare: timesOf(bare), ours: timesOf(ours) }));
    return callKinds.map(({ kind, name, aim }) => {
      const beside = rounds.map((round) => besideBare(round, kind));
      const { ratio, detail } = beside.sort((one, other) => one.ratio - other.ratio)[2] ?? nothing;
      return { name: `${name}, ${place}`, ratio, aim, detail };
    });
  });
}

const nothing = { ratio: Number.NaN, detail: '' };

/** @typedef {Map<string, number>} Times */

function besideBare(
  /** @type {{ bare: Times, ours: Times }} */ { bare, ours },
  /** @type {string} */ kind,
) {
  const [least, time] = [bare.get('bare') ?? Number.NaN, ours.get(kind) ?? Number.NaN];
  const detail = `${(time / 1000).toFixed(1)} µs beside ${(least / 1000).toFixed(1)} µs of a bare supervisor`;
  return { ratio: time / least, detail };
}

/** Median nanoseconds of each kind of call. */
function timesOf(/** @type {string[]} */ [command = '', ...args], env = process.env) {
  const { stdout, stderr } = spawnSync(command, args, { env, encoding: 'utf8' });
  const lines = stdout.trim().split('\n');
  if (!lines[0]) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
  return new Map(
    lines.map((line) => {
      const [kind = '', nanoseconds] = line.split(' ');
      return [kind, Number(nanoseconds)];
    }),
  );
}

/**
 * Nanoseconds of a call that the simulated machine answers, for each of some ways to exec, in turn: the medians of rounds,
 * in order. What else the machine does makes more of a difference than the way, so it is the best of them that compare.
 * Undefined where none can be measured.
 */
export function machineCallsNs(/** @type {string[][]} */ ways, env = process.env) {
  if (!loadAddon().available) return undefined;
  const directory = mkdtempSync(join(tmpdir(), 'tdctl-bench-'));
  try {
    const program = compile(directory);
    if (!program) return undefined;
    const once = (/** @type {string[]} */ way) => {
      const ours = [process.execPath, tdctl, 'exec', '-q', ...way, '--', program, '50', '200'];
      return timesOf(ours, env).get('machine') ?? Number.NaN;
    };
    const rounds = Array.from({ length: 8 }, () => ways.map(once));
    return ways.map((_, at) =>
      rounds.map((round) => round[at] ?? Number.NaN).sort((one, other) => one - other),
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** @returns {Row[]} */
function qemuStart(/** @type {string} */ directory) {
  const qemu = join(qemuFolder, 'qemu-system-x86_64');
  if (!existsSync(qemu)) {
    console.log('exec: QEMU not measured: run `bash test/exec/qemu/unpack.sh`');
    return [];
  }
  const summary = join(directory, 'summary.json');
  const machine = 'q35,confidential-guest-support=tdx0,kernel-irqchip=split,accel=kvm';
  const command = [
    ...[tdctl, 'exec', '--summary', summary, '--', qemu, '-machine', machine],
    ...['-object', 'tdx-guest,id=tdx0', '-cpu', 'host', '-bios', join(qemuFolder, 'OVMF.fd')],
    ...['-m', '512', '-smp', '4', '-nodefaults', '-nographic'],
  ];
  const seconds = Array.from({ length: 7 }, () => {
    const start = performance.now();
    spawnSync(process.execPath, command, { stdio: 'ignore' });
    return (performance.now() - start) / 1000;
  }).sort((one, other) => one - other);
  const [vm] = JSON.parse(readFileSync(summary, 'utf8')).vms;
  if (!vm?.mrtd) {
    console.log('exec: QEMU did not come to FINALIZE_VM');
    return [];
  }
  return [
    {
      name: 'QEMU, 4 vCPUs: start, FINALIZE_VM, run, end; whole process',
      value: seconds[3] ?? Number.NaN,
      unit: 's',
      aim: qemuAim,
      atLeast: false,
      detail: `${seconds[0]?.toFixed(2)} to ${seconds[6]?.toFixed(2)} s in 7 runs; ${vm.pages.added} pages added`,
    },
  ];
}
