/**
 * The addon against C: create a VM and 256 vCPUs, close all. Both are measured in turn in one run,
 * so that what else the machine does meets both; the ratio is that of the medians.
 */
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { loadAddon } from './load-addon.mjs';

const vcpuCount = 256;
const rounds = 151;
const warmUpRounds = 10;

/** @typedef {import('../native/index.ts').Addon} Addon */
/** @typedef {{ name: string, ratio: number | null, aim: number, detail: string }} Row */

const name = `create VM + ${vcpuCount} vCPUs + close, addon against C`;
const aim = 1.1;

/** @returns {Promise<Row[]>} */
export async function bench() {
  const native = loadAddon();
  if (!native.available) return [skipped('the native addon is not built')];
  if (!canOpenKvm()) return [skipped('/dev/kvm cannot be opened')];
  const directory = mkdtempSync(join(tmpdir(), 'tdctl-bench-'));
  try {
    const program = compile(directory);
    if (!program) return [skipped('no C compiler to compare with')];
    return [await compare(native.addon, program)];
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** @returns {Row} */
function skipped(/** @type {string} */ reason) {
  return { name, ratio: null, aim, detail: `not measured: ${reason}` };
}

function canOpenKvm() {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** @returns {string | undefined} the compiled program */
function compile(/** @type {string} */ directory) {
  const program = join(directory, 'native-create-vcpus');
  const source = join(import.meta.dirname, 'native-create-vcpus.c');
  const compiler = process.env.CC ?? 'cc';
  const { status } = spawnSync(compiler, ['-O2', '-o', program, source], { stdio: 'ignore' });
  return status === 0 ? program : undefined;
}

/** @returns {Promise<Row>} */
async function compare(/** @type {Addon} */ addon, /** @type {string} */ program) {
  const child = spawn(program, [String(vcpuCount)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const system = await addon.System.open();
  const fromC = [];
  const fromAddon = [];
  const runC = async () => {
    child.stdin.write('\n');
    return Number((await answers.next()).value) / 1e6;
  };
  const runAddon = () => createAndClose(system);
  for (let round = -warmUpRounds; round < rounds; round += 1) {
    // Whoever goes second meets what the kernel still has to free after the first.
    const isCFirst = round % 2 === 0;
    const first = await (isCFirst ? runC() : runAddon());
    const second = await (isCFirst ? runAddon() : runC());
    if (round < 0) continue;
    fromC.push(isCFirst ? first : second);
    fromAddon.push(isCFirst ? second : first);
  }
  child.stdin.end();
  await system.close();
  const c = median(fromC);
  const js = median(fromAddon);
  const detail = `addon ${js.toFixed(2)} ms, C ${c.toFixed(2)} ms, medians of ${rounds}`;
  return { name, ratio: js / c, aim, detail };
}

/** @returns {Promise<number>} milliseconds */
async function createAndClose(/** @type {import('../native/index.ts').System} */ system) {
  const ids = Array.from({ length: vcpuCount }, (_, id) => id);
  const start = performance.now();
  const vm = await system.kvmCreateVm(0);
  const vcpus = await vm.kvmCreateVcpus(ids);
  await Promise.all([...vcpus.map((vcpu) => vcpu.close()), vm.close()]);
  return performance.now() - start;
}

function median(/** @type {number[]} */ values) {
  const sorted = [...values].sort((a, b) => a - b);
  return /** @type {number} */ (sorted[sorted.length >> 1]);
}
