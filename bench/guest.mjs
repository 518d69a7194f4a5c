/**
 * Guests on the addon's threads: exits answered in C++ against a C program that does the same, in turn in one
 * run, by the CPU time of either process, because both share the machine with whatever else runs; and how
 * long a pause takes, from the call to the promise.
 */
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { loadAddon } from './load-addon.mjs';

const rounds = 31;
const warmUpRounds = 3;
const exitsOfRound = 20_000;
const pauses = 2001;
const memoryBytes = 0x1_0000n;

/** 1: in $0x80, %al; jmp 1b */
const readsAbsentPort = Uint8Array.of(0xe4, 0x80, 0xeb, 0xfc);
/** 1: inc %ax; jmp 1b */
const spins = Uint8Array.of(0x40, 0xeb, 0xfd);

/** @typedef {import('../native/index.ts').Addon} Addon */
/** @typedef {{ name: string, ratio: number | null, aim: number, detail: string }} RatioRow */
/** @typedef {{ name: string, value: number, unit: string, aim: number, atLeast: boolean, detail: string }} ValueRow */

const exitsName = 'CPU time of an exit answered in C++, against C';
// 0.95 of the exits in the same time.
const exitsAim = 1 / 0.95;

/** @returns {Promise<(RatioRow | ValueRow)[]>} */
export async function bench() {
  const native = loadAddon();
  if (!native.available) return [skipped('the native addon is not built')];
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
  } catch {
    return [skipped('/dev/kvm cannot be opened')];
  }
  return [
    await exitsAgainstC(native.addon),
    await pauseOf(native.addon, 1, 60),
    await pauseOf(native.addon, 4, 200),
  ];
}

/** @returns {RatioRow} */
function skipped(/** @type {string} */ reason) {
  return { name: exitsName, ratio: null, aim: exitsAim, detail: `not measured: ${reason}` };
}

/** @returns {Promise<RatioRow>} */
async function exitsAgainstC(/** @type {Addon} */ addon) {
  const directory = mkdtempSync(join(tmpdir(), 'tdctl-bench-'));
  try {
    const program = join(directory, 'guest-exits');
    const source = join(import.meta.dirname, 'guest-exits.c');
    const { status } = spawnSync(process.env.CC ?? 'cc', ['-O2', '-o', program, source], {
      stdio: 'ignore',
    });
    if (status !== 0) return skipped('no C compiler to compare with');
    return await compareExits(addon, program);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** @returns {Promise<RatioRow>} */
async function compareExits(/** @type {Addon} */ addon, /** @type {string} */ program) {
  const child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const running = await start(addon, readsAbsentPort, 1);
  const fromC = [];
  const fromAddon = [];
  for (let round = -warmUpRounds; round < rounds; round += 1) {
    // As many as the addon did in the time it had: a guest is paused, not counted down.
    const { exits, nanoseconds } = await exitsFor(running.guest, 200);
    child.stdin.write(`${exitsOfRound}\n`);
    const c = Number((await answers.next()).value) / exitsOfRound;
    if (round < 0) continue;
    fromC.push(c);
    fromAddon.push(nanoseconds / exits);
  }
  child.stdin.end();
  await running.close();
  const [c, ours] = [median(fromC), median(fromAddon)];
  const each = (/** @type {number} */ ns) => `${(ns / 1000).toFixed(2)} µs`;
  const detail = `addon ${each(ours)}, C ${each(c)}, medians of ${rounds}`;
  return { name: exitsName, ratio: ours / c, aim: exitsAim, detail };
}

async function exitsFor(
  /** @type {import('../native/index.ts').Guest} */ guest,
  /** @type {number} */ milliseconds,
) {
  guest.run();
  await new Promise((resolve) => setTimeout(resolve, 5));
  const [before, began] = [guest.counts().exits, process.cpuUsage()];
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  const [exits, { user, system }] = [guest.counts().exits - before, process.cpuUsage(began)];
  const nanoseconds = (user + system) * 1000;
  await guest.pause();
  return { exits, nanoseconds };
}

/** @returns {Promise<ValueRow>} */
async function pauseOf(
  /** @type {Addon} */ addon,
  /** @type {number} */ vcpuCount,
  /** @type {number} */ aim,
) {
  const running = await start(addon, spins, vcpuCount);
  /** @type {number[]} */
  const times = [];
  for (let at = 0; at < pauses; at += 1) {
    running.guest.run();
    // The vCPUs are in the guest by then.
    await new Promise((resolve) => setTimeout(resolve, 1));
    const began = performance.now();
    await running.guest.pause();
    times.push((performance.now() - began) * 1000);
  }
  await running.close();
  times.sort((a, b) => a - b);
  const at = (/** @type {number} */ part) => Math.round(times[Math.floor(part * pauses)] ?? 0);
  return {
    name: `pause of ${vcpuCount} vCPU${vcpuCount > 1 ? 's' : ''}, p50`,
    value: at(0.5),
    unit: 'µs',
    aim,
    atLeast: false,
    detail: `p5 ${at(0.05)} µs, p95 ${at(0.95)} µs, of ${pauses}`,
  };
}

async function start(
  /** @type {Addon} */ addon,
  /** @type {Uint8Array} */ program,
  /** @type {number} */ vcpuCount,
) {
  const system = await addon.System.open();
  const vm = await system.kvmCreateVm(0);
  const memory = await addon.UserMemory.map(memoryBytes);
  memory.write(0x1000n, program);
  await vm.kvmSetUserMemoryRegion({ slot: 0, gpa: 0n, sizeBytes: memoryBytes, memory });
  const vcpus = await vm.kvmCreateVcpus(Array.from({ length: vcpuCount }, (_, id) => id));
  for (const vcpu of vcpus) {
    const sregs = await vcpu.kvmGetSregs();
    sregs.fill(0, 0, 8); // the base of CS
    sregs.fill(0, 12, 14); // its selector
    await vcpu.kvmSetSregs(sregs);
    await vcpu.kvmSetRegs({ ...(await vcpu.kvmGetRegs()), rip: 0x1000n, rflags: 2n });
  }
  const guest = await addon.Guest.make({
    vm,
    vcpus,
    runBytes: await system.kvmGetVcpuMmapSize(),
    handlers: {
      console: () => {},
      debugConsole: () => {},
      exit: () => undefined,
      ended: (end) => {
        throw new Error(`the guest ended: ${end.kind}`);
      },
      failed: (error) => {
        throw error;
      },
    },
  });
  const close = async () => {
    guest.stop();
    await Promise.all([...vcpus, vm, memory, system].map((object) => object.close()));
  };
  return { guest, close };
}

function median(/** @type {number[]} */ values) {
  const sorted = [...values].sort((a, b) => a - b);
  return /** @type {number} */ (sorted[sorted.length >> 1]);
}
