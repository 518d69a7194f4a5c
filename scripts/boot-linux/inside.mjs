// @ts-check
/**
 * Boots a kernel by the loader and the addon alone, to a shell on COM1, types at it and lets it power off:
 * `node scripts/boot-linux/inside.mjs KERNEL INITRD [--vcpus N] [--memory MIB]`, on a /dev/kvm with hardware virtualisation.
 * The initrd is that of scripts/boot-linux.mjs. Exits with 0 where all came as it should.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

/** What the build made. By a name that is not known before it: it is no source. */
const built = (/** @type {string} */ name) =>
  import(new URL(`../../build/modules/${name}`, import.meta.url).href);
const { loadAddon } = await built('native/index.js');
const { withApicId, withHypervisor } = await built('src/abi/kvm/cpuid.js');
const { withSpecialRegisters } = await built('src/abi/kvm/registers.js');
const { prepareBoot } = await built('src/guest/boot/boot.js');

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    vcpus: { type: 'string', default: '2' },
    memory: { type: 'string', default: '512' },
  },
});
const [kernelPath = '', initrdPath = ''] = positionals;
const count = Number(values.vcpus);
const sizeBytes = BigInt(values.memory) << 20n;

/** What is waited for, what is then typed, and what that must have made of it. */
const conversation = [
  { prompt: 'inside# ', typed: 'echo sum $((6*7)), $(nproc) CPUs, Linux $(uname -r)\n' },
  { prompt: `sum 42, ${count} CPUs`, typed: '' },
  {
    prompt: 'inside# ',
    typed: 'grep -E "timer|ttyS0|acpi" /proc/interrupts; dmesg | grep -iE "acpi.*error|bug|warn"\n',
  },
  { prompt: 'inside# ', typed: 'poweroff -f\n' },
];

const loaded = loadAddon();
if (!loaded.available) throw new Error(`no addon: ${JSON.stringify(loaded.tried)}`);
const { addon } = loaded;
const started = performance.now();
const since = () => `${((performance.now() - started) / 1000).toFixed(1)} s`;

const system = await addon.System.open();
const vm = await system.kvmCreateVm(0);
const memory = await addon.UserMemory.map(sizeBytes, { shared: true });
await vm.kvmSetUserMemoryRegion({ slot: 0, gpa: 0n, sizeBytes, memory });
await vm.kvmCreateIrqchip();
await vm.kvmCreatePit2();
const ids = Array.from({ length: count }, (_, id) => id);
const vcpus = await vm.kvmCreateVcpus(ids);
const cpuid = await system.kvmGetSupportedCpuid();
for (const [id, vcpu] of vcpus.entries())
  await vcpu.kvmSetCpuid2(withHypervisor(withApicId(cpuid, id)));

const { writes, registers, protocol } = prepareBoot({
  kernel: { value: readFileSync(kernelPath), place: kernelPath },
  initrd: { value: readFileSync(initrdPath), place: initrdPath },
  cmdline: { value: 'console=ttyS0', place: 'here' },
  memory: { value: [{ holds: 'ram', gpa: 0n, sizeBytes }], place: '--memory' },
  vcpus: { started: count, created: count },
});
for (const { gpa, bytes } of writes) memory.write(gpa, bytes);
const [first] = vcpus;
if (!first) throw new Error('no vCPU');
await first.kvmSetSregs(withSpecialRegisters(await first.kvmGetSregs(), registers.sregs));
await first.kvmSetRegs(registers.regs);

let unread = '';
let step = 0;
/** @type {(end: import('../../native/guest.ts').GuestEnd) => void} */
let tellEnd = () => {};
/** @type {Promise<import('../../native/guest.ts').GuestEnd>} */
const ended = new Promise((resolve) => {
  tellEnd = resolve;
});
const guest = await addon.Guest.make({
  vm,
  vcpus,
  runBytes: await system.kvmGetVcpuMmapSize(),
  interrupt: { line: 4 },
  handlers: {
    console: (/** @type {Uint8Array} */ bytes) => {
      process.stdout.write(bytes);
      unread += Buffer.from(bytes).toString('latin1');
      talk();
    },
    debugConsole: () => {},
    exit: () => undefined,
    ended: tellEnd,
    failed: (/** @type {unknown} */ error) => console.log('failed', error),
  },
});

function talk() {
  for (;;) {
    const next = conversation[step];
    const at = next === undefined ? -1 : unread.indexOf(next.prompt);
    if (next === undefined || at === -1) return;
    unread = unread.slice(at + next.prompt.length);
    step += 1;
    console.log(`\n== ${since()}: came to ${JSON.stringify(next.prompt)}`);
    guest.input(Buffer.from(next.typed));
  }
}

console.log(`== ${since()}: ${protocol}, ${writes.length} writes; the guest runs`);
guest.run();
const end = await ended;
const counts = guest.counts();
guest.stop();
const isWell = end.kind === 'power-off' && step === conversation.length;
const counted = JSON.stringify({ end, step, counts }, (_, value) =>
  typeof value === 'bigint' ? `0x${value.toString(16)}` : value,
);
console.log(`\n== ${since()}: ${isWell ? 'well' : 'NOT WELL'}: ${counted}`);
for (const vcpu of vcpus) await vcpu.close();
await vm.close();
await memory.close();
await system.close();
process.exitCode = isWell ? 0 : 1;
