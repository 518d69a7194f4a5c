/** However a process, an environment or an object ends, no guest of it runs on. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { loadAddon } from '../../native/index.ts';
import { collectGarbage, openFds } from '../native/support.ts';
import { enterRealMode, requireMachine, vcpuThreads } from './guest-support.ts';

/** Floods COM1, and reads MMIO for ever: something is on the way to JavaScript at any moment. */
const busy = [
  ...[0xb8, 0x00, 0xd0], // mov $0xd000, %ax
  ...[0x8e, 0xd8], // mov %ax, %ds
  ...[0xba, 0xf8, 0x03], // mov $0x3f8, %dx
  0xee, // 1: out %al, (%dx)
  ...[0xa0, 0x00, 0x00], // mov 0, %al
  ...[0xeb, 0xfa], // jmp 1b
];

/** A program that starts such a guest of two vCPUs, with `then` run once it was heard of. */
const program = (addonPath: string, then: string) => `
const addon = require(${JSON.stringify(addonPath)});
(async () => {
  const system = await addon.System.open();
  const vm = await system.kvmCreateVm(0);
  const memory = await addon.UserMemory.map(0x80000n, { shared: true });
  memory.write(0x1000n, Uint8Array.from(${JSON.stringify(busy)}));
  await vm.kvmSetUserMemoryRegion({ slot: 0, gpa: 0n, sizeBytes: 0x80000n, memory });
  const vcpus = await vm.kvmCreateVcpus([0, 1]);
  for (const vcpu of vcpus) {
    const sregs = await vcpu.kvmGetSregs();
    sregs.fill(0, 0, 8);
    sregs.fill(0, 12, 14);
    await vcpu.kvmSetSregs(sregs);
    await vcpu.kvmSetRegs({ ...(await vcpu.kvmGetRegs()), rip: 0x1000n, rflags: 2n });
  }
  let heard = 0;
  const guest = await addon.Guest.make({
    vm, vcpus, runBytes: await system.kvmGetVcpuMmapSize(),
    handlers: {
      console() { heard += 1; if (heard === 20) { ${then} } },
      debugConsole() {},
      exit: (vcpu) => vcpu === 0 ? undefined : new Promise((resolve) => setImmediate(resolve)),
      ended: (end) => { throw new Error(end.kind); },
      failed: (error) => { throw error; },
    },
  });
  guest.run();
})();`;

const addonPath = () => {
  const native = loadAddon();
  return native.available ? native.path : '';
};

const endings = [
  ['process.exit', 'process.exit(7)', 7],
  ['process.exit in the turn after', 'setImmediate(() => process.exit(7))', 7],
  ['process.exit while it pauses', 'guest.pause().catch(() => {}); process.exit(7)', 7],
  ['an error that nobody catches', 'setImmediate(() => { throw new Error("oops") })', 1],
  ['a stop, after which nothing keeps the process', 'guest.stop()', 0],
  ['a pause, after which nothing keeps the process', 'guest.pause()', 0],
] as const;
test.for(endings)('a process ends by %s', async ([, then, code], context) => {
  await requireMachine(context, Uint8Array.of(0xf4));
  const { status, signal, stderr } = spawnSync(
    process.execPath,
    ['-e', program(addonPath(), then)],
    { encoding: 'utf8', timeout: 60_000, killSignal: 'SIGKILL' },
  );
  expect({ status, signal }).toEqual({ status: code, signal: null });
  if (code !== 1) expect(stderr).toBe('');
});

describe('a worker thread', () => {
  test('that is terminated leaves no thread and no fd of its guest', async (context) => {
    await requireMachine(context, Uint8Array.of(0xf4));
    const before = openFds();
    for (let round = 0; round < 10; round += 1) {
      const then = 'require("node:worker_threads").parentPort.postMessage("heard")';
      const worker = new Worker(program(addonPath(), then), { eval: true });
      await once(worker, 'message');
      expect(vcpuThreads()).not.toEqual([]);
      // At any moment of the guest's: in the middle of a handler, or of what it is handed.
      for (let turn = 0; turn < round; turn += 1) await new Promise((next) => setImmediate(next));
      await worker.terminate();
      expect(vcpuThreads()).toEqual([]);
    }
    const left = [...openFds()].filter(([fd, target]) => /kvm/.test(target) && !before.has(fd));
    expect(left).toEqual([]);
  });

  test('may end by process.exit in a handler', async (context) => {
    await requireMachine(context, Uint8Array.of(0xf4));
    const worker = new Worker(program(addonPath(), 'process.exit(3)'), { eval: true });
    expect(await once(worker, 'exit')).toEqual([3]);
    expect(vcpuThreads()).toEqual([]);
  });
});

describe('the collector', () => {
  test('leaves a guest that runs alone, and ends one that is parked and that nobody has', async (context) => {
    const counts = [
      ...[0xba, 0xf8, 0x03], // mov $0x3f8, %dx
      0xee, // 1: out %al, (%dx)
      ...[0xfe, 0xc0], // inc %al
      ...[0xeb, 0xfb], // jmp 1b
    ];
    const { makeVm, addon, runBytes } = await requireMachine(context, Uint8Array.from(counts));
    const { vm, vcpus, vcpu } = await makeVm();
    await enterRealMode(vcpu);
    let written = 0;
    const pausing: { pause?: () => Promise<void> } = {};
    await (async () => {
      const guest = await addon.Guest.make({
        vm,
        vcpus,
        runBytes,
        handlers: {
          console: (bytes) => {
            written += bytes.length;
          },
          debugConsole: () => {},
          exit: () => undefined,
          ended: () => {},
          failed: () => {},
        },
      });
      guest.run();
      const weak = new WeakRef(guest);
      pausing.pause = () => weak.deref()?.pause() ?? Promise.reject(new Error('it was collected'));
    })();
    await collectGarbage();
    const before = written;
    while (written === before) await new Promise((next) => setImmediate(next));
    await pausing.pause?.();
    expect(vcpuThreads()).toEqual(['vcpu 0']);
    await new Promise((next) => setImmediate(next));
    await collectGarbage();
    expect(vcpuThreads()).toEqual([]);
    // The vCPU is nobody's again.
    await vcpu.kvmGetRegs();
  });
});
