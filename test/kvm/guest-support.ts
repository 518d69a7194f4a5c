/**
 * Small guests on the real /dev/kvm: a VM, its memory at address 0, a program at 0x1000, and an image of firmware
 * below 4 GiB where there is one.
 */
import { accessSync, constants, readdirSync, readFileSync } from 'node:fs';
import { expect, type TestContext } from 'vitest';
import type {
  Addon,
  Guest,
  GuestEnd,
  GuestHandlers,
  GuestOptions,
  System,
  UserMemory,
  Vcpu,
  VcpuState,
  VcpuStateShape,
  Vm,
} from '../../native/index.ts';
import { capabilities } from '../../src/abi/kvm/capabilities.ts';
import type { CpuidEntry } from '../../src/abi/kvm/structs.ts';
import { vmTypes } from '../../src/abi/kvm/vm-types.ts';
import { fourGiB } from '../../src/firmware/load-address.ts';
import { openFds, requireAddon } from '../native/support.ts';

export const programAt = 0x1000n;
/** Where a program counts, in the page after it. */
export const counterAt = 0x2000n;
/** Above it is nothing: MMIO. */
export const memoryBytes = 0x8_0000n;

export interface Machine {
  readonly addon: Addon;
  readonly system: System;
  readonly runBytes: number;
  /** Another VM of the same kind, on the same memory where there is some already. */
  makeVm(options?: VmOptions): Promise<MachineVm>;
  readonly memory: UserMemory;
}

interface VmOptions {
  readonly vcpuCount?: number;
  readonly irqchip?: boolean;
  /** What its vCPUs have of the CPUID that KVM supports. */
  readonly cpuid?: ((supported: readonly CpuidEntry[]) => CpuidEntry[]) | undefined;
}

export interface MachineVm {
  readonly vm: Vm;
  readonly vcpus: readonly Vcpu[];
  readonly vcpu: Vcpu;
  readonly shape: VcpuStateShape;
  start(handlers?: Partial<GuestHandlers>, options?: Partial<GuestOptions>): Promise<Running>;
  close(): Promise<void>;
}

export interface Running {
  readonly guest: Guest;
  /** All that it has written so far. */
  console(): Buffer;
  lostBytes(): number;
  readonly failures: unknown[];
  readonly ended: Promise<GuestEnd>;
  /** Resolves once that much was written. */
  written(bytes: number): Promise<void>;
}

/** Threads of this process on which vCPUs run, by their names. */
export function vcpuThreads(): string[] {
  return readdirSync('/proc/self/task').flatMap((task) => {
    try {
      const name = readFileSync(`/proc/self/task/${task}/comm`, 'utf8').trim();
      return name.startsWith('vcpu ') ? [name] : [];
    } catch {
      return []; // It ended between the listing and the look.
    }
  });
}

export async function requireMachine(
  context: TestContext,
  program: Uint8Array,
  { ramBytes = memoryBytes, firmware }: { ramBytes?: bigint; firmware?: Uint8Array } = {},
): Promise<Machine> {
  const addon = requireAddon(context);
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
  } catch (error) {
    context.skip(`/dev/kvm cannot be opened: ${(error as NodeJS.ErrnoException).code}`);
  }
  const before = openFds();
  const system = await addon.System.open();
  const memory = await addon.UserMemory.map(ramBytes, { shared: true });
  memory.write(programAt, program);
  const slots = [{ slot: 0, gpa: 0n, sizeBytes: ramBytes, memory }];
  if (firmware) {
    const sizeBytes = BigInt(firmware.length);
    const image = await addon.UserMemory.map(sizeBytes, { shared: true });
    image.write(0n, firmware);
    slots.push({ slot: 1, gpa: fourGiB - sizeBytes, sizeBytes, memory: image });
  }
  const vms: MachineVm[] = [];
  const guests: Guest[] = [];
  const runBytes = await system.kvmGetVcpuMmapSize();
  const msrs = await system.kvmGetMsrIndexList();
  const supported = await system.kvmGetSupportedCpuid();
  context.onTestFinished(async () => {
    for (const guest of guests) guest.stop();
    await Promise.all(
      [...vms, ...slots.map((slot) => slot.memory), system].map((each) => each.close()),
    );
    expect(openFds()).toEqual(before);
    expect(vcpuThreads()).toEqual([]);
    expect(addon.leakedFds()).toBe(0);
  });
  const makeVm: Machine['makeVm'] = async ({ vcpuCount = 1, irqchip = false, cpuid } = {}) => {
    const vm = await system.kvmCreateVm(vmTypes.KVM_X86_DEFAULT_VM);
    for (const slot of slots) await vm.kvmSetUserMemoryRegion(slot);
    if (irqchip) await vm.kvmCreateIrqchip();
    const vcpus = await vm.kvmCreateVcpus(Array.from({ length: vcpuCount }, (_, id) => id));
    await Promise.all(vcpus.map((vcpu) => vcpu.kvmSetCpuid2(cpuid?.(supported) ?? supported)));
    const [vcpu] = vcpus;
    if (!vcpu) throw new Error('no vCPU');
    const has = (name: keyof typeof capabilities) => vm.kvmCheckExtension(capabilities[name]);
    const shape: VcpuStateShape = {
      msrs,
      xsaveBytes: await has('KVM_CAP_XSAVE2'),
      sregs2: (await has('KVM_CAP_SREGS2')) > 0,
      lapic: irqchip,
      tscKhz: (await has('KVM_CAP_GET_TSC_KHZ')) > 0,
      tscOffset: (await has('KVM_CAP_VCPU_ATTRIBUTES')) > 0,
    };
    const made: MachineVm = {
      vm,
      vcpus,
      vcpu,
      shape,
      start: async (handlers = {}, options = {}) => {
        const running = await start(addon, { vm, vcpus, runBytes, ...options }, handlers);
        guests.push(running.guest);
        return running;
      },
      close: async () => {
        await Promise.all([...vcpus, vm].map((object) => object.close()));
      },
    };
    vms.push(made);
    return made;
  };
  return { addon, system, runBytes, makeVm, memory };
}

async function start(
  addon: Addon,
  options: Omit<GuestOptions, 'handlers'>,
  handlers: Partial<GuestHandlers>,
): Promise<Running> {
  const chunks: Uint8Array[] = [];
  const failures: unknown[] = [];
  let written = 0;
  let lost = 0;
  let waiting: { bytes: number; resolve: () => void }[] = [];
  let tellEnd: (end: GuestEnd) => void = () => {};
  const ended = new Promise<GuestEnd>((resolve) => {
    tellEnd = resolve;
  });
  const guest = await addon.Guest.make({
    ...options,
    handlers: {
      console: (bytes, lostBytes) => {
        chunks.push(bytes);
        written += bytes.length;
        lost += lostBytes;
        for (const { bytes: wanted, resolve } of waiting) if (written >= wanted) resolve();
        waiting = waiting.filter(({ bytes: wanted }) => written < wanted);
      },
      debugConsole: () => {},
      exit: () => undefined,
      ended: tellEnd,
      failed: (error) => failures.push(error),
      ...handlers,
    },
  });
  return {
    guest,
    console: () => Buffer.concat(chunks),
    lostBytes: () => lost,
    failures,
    ended,
    written: (bytes) =>
      written >= bytes
        ? Promise.resolve()
        : new Promise((resolve) => waiting.push({ bytes, resolve })),
  };
}

/** Code of real mode: of all interrupts only that of COM1 comes, once the guest takes any, and is handled there. */
export const takesIrq4At = (address: number): readonly number[] => [
  0xfa, // cli
  ...[0x31, 0xc0], // xor %ax, %ax
  ...[0x8e, 0xd8], // mov %ax, %ds
  ...[0xc7, 0x06, 0x30, 0x00, address & 0xff, address >> 8], // movw $address, 0x30: the vector of IRQ 4
  ...[0xa3, 0x32, 0x00], // mov %ax, 0x32
  ...[0xb0, 0x11, 0xe6, 0x20], // the first PIC: edge triggered, cascaded
  ...[0xb0, 0x08, 0xe6, 0x21], // vectors from 8
  ...[0xb0, 0x04, 0xe6, 0x21], // the second one at line 2
  ...[0xb0, 0x01, 0xe6, 0x21], // 8086 mode
  ...[0xb0, 0xef, 0xe6, 0x21], // only IRQ 4
];

/** In real mode, with every segment at 0, at the start of the program. */
export async function enterRealMode(vcpu: Vcpu): Promise<void> {
  const sregs = await vcpu.kvmGetSregs();
  const view = new DataView(sregs.buffer);
  view.setBigUint64(segments.cs, 0n, true);
  view.setUint16(segments.cs + selectorAt, 0, true);
  await vcpu.kvmSetSregs(sregs);
  const regs = await vcpu.kvmGetRegs();
  await vcpu.kvmSetRegs({ ...regs, rax: 0n, rbx: 0n, rip: programAt, rsp: 0x800n, rflags: 2n });
}

// struct kvm_segment: base, limit, selector, type, present, dpl, db, s, l, g; struct kvm_sregs.
const segments = { cs: 0, ds: 24, es: 48, fs: 72, gs: 96, ss: 120, tr: 144 } as const;
const selectorAt = 12;
const controls = { cr0: 224, cr3: 240, cr4: 248, efer: 264 } as const;

/**
 * In long mode at CPL 3, where a nested /dev/kvm runs it on the CPU and not by its emulator, with I/O
 * privilege, and all of the memory mapped where it is.
 */
export async function enterUserMode(vcpu: Vcpu, memory: UserMemory): Promise<void> {
  const [level4, level3, level2] = [0x1_0000n, 0x1_1000n, 0x1_2000n] as const;
  const presentWritableUser = 7n;
  const large = 0x80n;
  const entry = (value: bigint) => new Uint8Array(BigUint64Array.of(value).buffer);
  memory.write(level4, entry(level3 | presentWritableUser));
  memory.write(level3, entry(level2 | presentWritableUser));
  memory.write(level2, entry(presentWritableUser | large));
  const sregs = await vcpu.kvmGetSregs();
  const view = new DataView(sregs.buffer);
  const setSegment = (at: number, selector: number, ...typeToGranularity: number[]) => {
    view.setBigUint64(at, 0n, true);
    view.setUint32(at + 8, 0xffff_ffff, true);
    view.setUint16(at + selectorAt, selector, true);
    sregs.set(typeToGranularity, at + 14);
  };
  setSegment(segments.cs, 0x33, 0xb, 1, 3, 0, 1, 1, 1);
  for (const name of ['ds', 'es', 'ss'] as const) {
    setSegment(segments[name], 0x2b, 0x3, 1, 3, 1, 1, 0, 1);
  }
  setSegment(segments.tr, 0x40, 0xb, 1, 0, 0, 0, 0, 0);
  view.setBigUint64(controls.cr0, 0x8005_0033n, true); // PG, AM, WP, NE, ET, MP, PE
  view.setBigUint64(controls.cr3, level4, true);
  view.setBigUint64(controls.cr4, 0x620n, true); // OSXMMEXCPT, OSFXSR, PAE
  view.setBigUint64(controls.efer, 0xd01n, true); // NXE, LMA, LME, SCE
  await vcpu.kvmSetSregs(sregs);
  const regs = await vcpu.kvmGetRegs();
  const ioPrivilege3 = 0x3000n;
  await vcpu.kvmSetRegs({ ...regs, rip: programAt, rsp: 0x800n, rflags: 2n | ioPrivilege3 });
}

export const readU64 = (memory: UserMemory, at: bigint) =>
  new DataView(memory.read(at, 8).buffer).getBigUint64(0, true);

/** The first xmm registers and st(0), out of the legacy area of xsave. */
export function floatsOf({ xsave }: VcpuState) {
  const view = new DataView(xsave.buffer, xsave.byteOffset);
  const exponent = BigInt(view.getUint16(40, true) & 0x7fff) - 16383n - 63n;
  const mantissa = view.getBigUint64(32, true);
  return {
    xmm: (register: number) => view.getBigUint64(160 + 16 * register, true),
    st0: exponent < -63n ? 0n : mantissa >> -exponent,
  };
}
