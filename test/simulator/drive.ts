/** Drives a simulated machine as a process would: one call, one answer, faults where a test wants. */

import { capabilities } from '../../src/abi/kvm/capabilities.ts';
import type { CheckName } from '../../src/abi/kvm/checks/index.ts';
import type { ErrnoName } from '../../src/abi/kvm/errno.ts';
import { hasMaxVcpusCap } from '../../src/abi/kvm/kernels/record.ts';
import { mpStates } from '../../src/abi/kvm/mp-states.ts';
import { type CpuidEntry, KVM_MEM_GUEST_MEMFD } from '../../src/abi/kvm/structs.ts';
import { vmTypes } from '../../src/abi/kvm/vm-types.ts';
import { pamtCost } from '../../src/abi/tdx/pamt.ts';
import type { SeamcallName } from '../../src/abi/tdx/seamcalls.ts';
import {
  type Answer,
  type Caller,
  CapabilitiesValue,
  CpuidValue,
  createSimulatedHost,
  type FaultInjector,
  type FaultPoint,
  type GuestScript,
  type Handle,
  type HostClock,
  type HostProfile,
  type HostProfileName,
  type InitMemRegionStruct,
  type InitVmStruct,
  InitVmValue,
  type IoeventfdStruct,
  type IrqfdStruct,
  type KernelAbi,
  type KernelAbiName,
  type MemoryAttributes2Struct,
  type PendingAnswer,
  type Request,
  type RunPageHead,
  type RunPageInput,
  type SimulatedMachine,
  StructValue,
  type TdxCommandStruct,
  type TraceEvent,
  type UserStruct,
  type VcpuExit,
} from '../../src/simulator/index.ts';
import {
  attributes2Struct,
  command,
  faulting,
  initVmStruct,
  ioeventfdStruct,
  irqfdStruct,
  memRegion,
  page,
  ramGpa,
  ramPages,
  sourceAddress,
  tdVcpus,
  x2apicLeaf,
} from './structs.ts';
import { BytesValue } from './values.ts';

/** What an ioctl returned, or the errno it failed with. */
export type Result = number | ErrnoName;

/** Who has the interrupt controllers: user space, both, or the kernel. */
export type Irqchip = 'none' | 'split' | 'kernel';

export interface DriverOptions {
  readonly profile?: HostProfileName | HostProfile;
  readonly kernelAbi?: KernelAbiName | KernelAbi;
  /** Instead of those that `failAt`, `failLeaf` and `signalBeforePage` set. */
  readonly faults?: FaultInjector;
  readonly guest?: GuestScript;
  readonly signalEventfd?: (id: number) => void;
  readonly hostClock?: HostClock;
}

/** The memory of a small host that has so many pages beside what its PAMT keeps; page 0 is never given out. */
export function memoryWith(pages: number, pamt: 'static' | 'dynamic' = 'static'): bigint {
  const bytes = BigInt(1 + pages) * page;
  const { staticBytes, fixedBytes, counterBytes } = pamtCost(bytes);
  return bytes + (pamt === 'static' ? staticBytes : fixedBytes + counterBytes);
}

/** kvm_run of a VMM that asks for nothing. */
const plainRun: RunPageInput = {
  immediateExit: false,
  validRegs: 0n,
  dirtyRegs: 0n,
  cr8: 0n,
  result: 0n,
};

/** Answers of a SEAMCALL leaf that is made to fail, by the number of the call (from 0). */
type LeafFault = (nth: number) => bigint | undefined;

export class Driver {
  readonly machine: SimulatedMachine;
  readonly kvm: Handle;
  /** What the next call is made by. */
  mm = 1;
  cgroup = '/';
  mayReboot = true;
  signal: 'none' | 'ordinary' | 'fatal' = 'none';
  /** Source pages that cannot be read. */
  readonly unreadable = new Set<bigint>();
  sourceByte = 0;
  /** Memory of the caller that holds more than that byte, by address. */
  readonly words = new Map<bigint, bigint>();
  signalBeforePage: number | undefined;
  /** The check that refused the last call. */
  refusedBy: CheckName | undefined;
  /** By the vCPUs that were made. */
  readonly #vmOf = new Map<Handle, Handle>();
  /** Where guest_memfds lie, the last one first. */
  readonly #slots: { readonly vm: Handle; readonly gpa: bigint; readonly guestMemfd: Handle }[] =
    [];
  #failingPoints: (point: FaultPoint) => ErrnoName | undefined = () => undefined;
  readonly #errnoAt = new Map<FaultPoint, ErrnoName>();
  readonly #leafFaults = new Map<SeamcallName, { calls: number; answer: LeafFault }>();

  constructor(options: DriverOptions = {}) {
    const faults: FaultInjector = {
      errnoAt: (point) => this.#errnoAt.get(point) ?? this.#failingPoints(point),
      statusOf: (leaf) => {
        const fault = this.#leafFaults.get(leaf);
        return fault?.answer(fault.calls++);
      },
      signalBeforePage: (at) => at === this.signalBeforePage,
    };
    this.machine = createSimulatedHost({ profile: 'spr-1.5', faults, ...options });
    const opened = this.machine.open();
    if (!opened.ok) throw new Error(`no /dev/kvm: ${opened.errno}`);
    this.kvm = opened.value;
  }

  /** A call that does not wait: EINTR where it would have to. */
  call(handle: Handle, request: Request): Result {
    const result = this.#noted(this.machine.ioctl(this.#caller(), handle, request));
    if (request.request === 'KVM_CREATE_VCPU' && typeof result === 'number') {
      this.#vmOf.set(result, handle);
    }
    return result;
  }

  /** A call that waits where it must: what it answers, and a fatal signal for it. */
  ask(handle: Handle, request: Request): Asked {
    const answer = this.machine.call(this.#caller(), handle, request);
    if (!('cancel' in answer)) {
      return { waits: false, result: Promise.resolve(this.#noted(answer)), cancel: () => {} };
    }
    const result = answer.answer.then((given) => this.#noted(given));
    return { waits: true, result, cancel: () => answer.cancel() };
  }

  #caller(): Caller {
    return {
      mm: this.mm,
      cgroup: this.cgroup,
      memory: {
        read: (address, length) => {
          if (this.unreadable.has(address)) return undefined;
          const word = this.words.get(address);
          if (word === undefined) return new Uint8Array(length).fill(this.sourceByte);
          return new Uint8Array(BigUint64Array.of(word).buffer).subarray(0, length);
        },
      },
      pendingSignal: () => this.signal,
      mayReboot: () => this.mayReboot,
    };
  }

  #noted(answer: Answer): Result {
    this.refusedBy = answer.ok ? undefined : answer.check;
    return answer.ok ? answer.value : answer.errno;
  }

  /** KVM_RUN: its exits, and what it answers in the end. */
  run(
    vcpu: Handle,
    input: Partial<RunPageInput> = {},
    arg = 0n,
    registers = new Uint8Array(520),
  ): Running {
    const exits: VcpuExit[] = [];
    const head: Partial<RunPageHead> = {};
    const page = {
      read: () => ({ ...plainRun, ...input }),
      writeExit: (exit: VcpuExit) => {
        exits.push(exit);
      },
      writeHead: (change: Partial<RunPageHead>) => {
        Object.assign(head, change);
      },
      registers: new BytesValue(registers),
    };
    const pending = this.machine.run(this.#caller(), vcpu, { request: 'KVM_RUN', arg, page });
    const result = pending.answer.then((answer) => this.#noted(answer));
    return { exits, head, result, cancel: () => pending.cancel() };
  }

  /** A call that must succeed: its value. */
  must(handle: Handle, request: Request): number {
    const result = this.call(handle, request);
    if (typeof result === 'string') throw new Error(`${request.request}: ${result}`);
    return result;
  }

  failAt(point: FaultPoint, errno: ErrnoName | undefined): void {
    if (errno === undefined) this.#errnoAt.delete(point);
    else this.#errnoAt.set(point, errno);
  }

  /** Every step of a kind fails. */
  failPoints(isMeant: (point: FaultPoint) => boolean, errno: ErrnoName): void {
    this.#failingPoints = (point) => (isMeant(point) ? errno : undefined);
  }

  /** Another thread is in KVM_RUN of the vCPU, where it waits for an INIT that never comes. */
  occupy(vcpu: Handle): Running {
    const mpState = new StructValue(mpStates.UNINITIALIZED);
    this.call(vcpu, { request: 'KVM_SET_MP_STATE', mpState });
    this.refusedBy = undefined;
    return this.run(vcpu);
  }

  /** Another thread is in KVM_RUN of a vCPU of the same VM, which is made for that. */
  occupySibling(file: Handle): Running {
    return this.occupy(this.createVcpu(this.#vmOf.get(file) ?? file, tdVcpus - 1) as Handle);
  }

  failLeaf(leaf: SeamcallName, answer: LeafFault | bigint | undefined): void {
    if (answer === undefined) this.#leafFaults.delete(leaf);
    else {
      const each = typeof answer === 'bigint' ? () => answer : answer;
      this.#leafFaults.set(leaf, { calls: 0, answer: each });
    }
  }

  /** Leaves and ioctls from now on, one line each. */
  record(): string[] {
    const lines: string[] = [];
    this.machine.listen((event) => lines.push(nameOf(event)));
    return lines;
  }

  // --- requests, valid unless told otherwise ---

  createVm(type: keyof typeof vmTypes = 'KVM_X86_TDX_VM'): Handle {
    return this.must(this.kvm, { request: 'KVM_CREATE_VM', type: vmTypes[type] });
  }

  cap(vm: Handle, name: keyof typeof capabilities, ...args: bigint[]): Result {
    const cap = new StructValue({ cap: capabilities[name], flags: 0, args });
    return this.call(vm, { request: 'KVM_ENABLE_CAP', cap });
  }

  check(handle: Handle, name: keyof typeof capabilities): Result {
    return this.call(handle, { request: 'KVM_CHECK_EXTENSION', capability: capabilities[name] });
  }

  /** A TD as it is before INIT_VM: its irqchip, and its vCPUs where the kernel takes their number. */
  createTd(): Handle {
    const vm = this.createVm();
    expectOk(this.prepareTd(vm));
    return vm;
  }

  prepareTd(vm: Handle): Result {
    const split = this.cap(vm, 'KVM_CAP_SPLIT_IRQCHIP', 24n);
    return typeof split === 'string' ? split : this.nameVcpus(vm);
  }

  /** How many vCPUs the TD is for, where KVM_ENABLE_CAP tells it. */
  nameVcpus(vm: Handle): Result {
    if (!hasMaxVcpusCap(this.machine.kernelAbi)) return 0;
    return this.cap(vm, 'KVM_CAP_MAX_VCPUS', BigInt(tdVcpus));
  }

  move(destination: Handle, source: Handle): Result {
    return this.cap(destination, 'KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM', BigInt(source));
  }

  link(vm: Handle, guestMemfd: Handle | undefined, flags = 0n): Result {
    const link = new StructValue({ guestMemfd, flags });
    return this.call(vm, { request: 'KVM_LINK_GUEST_MEMFD', link });
  }

  createVcpu(vm: Handle, id: number): Result {
    return this.call(vm, { request: 'KVM_CREATE_VCPU', id });
  }

  setTscKhz(handle: Handle, tscKhz: number): Result {
    return this.call(handle, { request: 'KVM_SET_TSC_KHZ', tscKhz });
  }

  capabilities(vm: Handle): Result {
    return this.call(vm, {
      request: 'KVM_TDX_CAPABILITIES',
      cmd: command('KVM_TDX_CAPABILITIES'),
      data: new CapabilitiesValue(128),
    });
  }

  initVm(
    vm: Handle,
    change: Partial<InitVmStruct> = {},
    cmd: UserStruct<TdxCommandStruct> = command('KVM_TDX_INIT_VM'),
  ): Result {
    const data = new InitVmValue(initVmStruct(change));
    return this.call(vm, { request: 'KVM_TDX_INIT_VM', cmd, data });
  }

  finalizeVm(
    vm: Handle,
    cmd = command('KVM_TDX_FINALIZE_VM') as UserStruct<TdxCommandStruct>,
  ): Result {
    return this.call(vm, { request: 'KVM_TDX_FINALIZE_VM', cmd });
  }

  terminateVm(vm: Handle): Result {
    return this.call(vm, {
      request: 'KVM_TDX_TERMINATE_VM',
      cmd: command('KVM_TDX_TERMINATE_VM'),
    });
  }

  setCpuid2(vcpu: Handle, entries: readonly CpuidEntry[] = [x2apicLeaf]): Result {
    return this.call(vcpu, { request: 'KVM_SET_CPUID2', cpuid: new CpuidValue(entries) });
  }

  initVcpu(vcpu: Handle, cmd: UserStruct<TdxCommandStruct> = command('KVM_TDX_INIT_VCPU')): Result {
    return this.call(vcpu, { request: 'KVM_TDX_INIT_VCPU', cmd });
  }

  getCpuid(vcpu: Handle, data = new CpuidValue(256)): Result {
    return this.call(vcpu, {
      request: 'KVM_TDX_GET_CPUID',
      cmd: command('KVM_TDX_GET_CPUID'),
      data,
    });
  }

  initMemRegion(
    vcpu: Handle,
    region: UserStruct<InitMemRegionStruct> = memRegion(),
    flags = 0,
  ): Result {
    const cmd = command('KVM_TDX_INIT_MEM_REGION', { flags });
    return this.call(vcpu, { request: 'KVM_TDX_INIT_MEM_REGION', cmd, data: region });
  }

  createGuestMemfd(vm: Handle, pages = ramPages): Result {
    const create = new StructValue({ size: BigInt(pages) * page, flags: 0n });
    return this.call(vm, { request: 'KVM_CREATE_GUEST_MEMFD', create });
  }

  /** Converts guest pages as the kernel wants it: by the VM, or by the guest_memfd of the slot there. */
  setPrivate(vm: Handle, gpa: bigint, pages: number, isPrivate = true): Result {
    const { attributesOf } = this.machine.kernelAbi.memory;
    const slot = this.#slots.find((each) => each.vm === vm && each.gpa <= gpa);
    if (attributesOf === 'each guest_memfd' && slot !== undefined) {
      const range = { offset: gpa - slot.gpa, size: BigInt(pages) * page };
      return this.setAttributes2(slot.guestMemfd, { ...range, attributes: isPrivate ? 8n : 0n });
    }
    const attributes = new StructValue({
      address: gpa,
      size: BigInt(pages) * page,
      attributes: isPrivate ? 8n : 0n,
      flags: 0n,
    });
    return this.call(vm, { request: 'KVM_SET_MEMORY_ATTRIBUTES', attributes });
  }

  setAttributes2(
    guestMemfd: Handle,
    change: Partial<MemoryAttributes2Struct> = {},
    faulty?: 'read' | 'write',
  ): Result {
    const attributes = attributes2Struct(change);
    return this.call(guestMemfd, {
      request: 'KVM_SET_MEMORY_ATTRIBUTES2',
      attributes: faulty === undefined ? attributes : faulting(attributes, faulty),
    });
  }

  setSlot(vm: Handle, guestMemfd: Handle | undefined, slot = 0, gpa = ramGpa): Result {
    if (guestMemfd !== undefined) this.#slots.unshift({ vm, gpa, guestMemfd });
    const region = new StructValue({
      slot,
      flags: guestMemfd === undefined ? 0 : KVM_MEM_GUEST_MEMFD,
      guestPhysAddr: gpa,
      memorySize: BigInt(ramPages) * page,
      userspaceAddr: sourceAddress,
      guestMemfdOffset: 0n,
      guestMemfd,
    });
    return this.call(vm, { request: 'KVM_SET_USER_MEMORY_REGION2', region });
  }

  irqfd(vm: Handle, change: Partial<IrqfdStruct> = {}): Result {
    return this.call(vm, { request: 'KVM_IRQFD', irqfd: irqfdStruct(change) });
  }

  ioeventfd(vm: Handle, change: Partial<IoeventfdStruct> = {}): Result {
    return this.call(vm, { request: 'KVM_IOEVENTFD', ioeventfd: ioeventfdStruct(change) });
  }

  release(...handles: Handle[]): void {
    for (const handle of handles) this.machine.release(handle);
  }

  // --- whole VMs ---

  /** A VM of the default type, with its interrupt controllers in the kernel as they are told. */
  plainVm(irqchip: Irqchip = 'none'): Handle {
    const vm = this.createVm('KVM_X86_DEFAULT_VM');
    if (irqchip === 'split') expectOk(this.cap(vm, 'KVM_CAP_SPLIT_IRQCHIP', 24n));
    if (irqchip === 'kernel') this.must(vm, { request: 'KVM_CREATE_IRQCHIP' });
    return vm;
  }

  plainVcpu(irqchip: Irqchip = 'none'): Handle {
    return this.must(this.plainVm(irqchip), { request: 'KVM_CREATE_VCPU', id: 0 });
  }

  /** A TD as far as INIT_VM. */
  initializedTd(): Handle {
    const vm = this.createTd();
    expectOk(this.initVm(vm));
    return vm;
  }

  /** A TD with INIT'ed vCPUs 0.. and private memory at {@link ramGpa}. */
  builtTd(vcpuCount = 1): { vm: Handle; vcpus: Handle[]; guestMemfd: Handle } {
    const vm = this.initializedTd();
    const vcpus = Array.from({ length: vcpuCount }, (_, id) => this.newVcpu(vm, id));
    const guestMemfd = this.createGuestMemfd(vm) as Handle;
    expectOk(this.setSlot(vm, guestMemfd));
    expectOk(this.setPrivate(vm, ramGpa, ramPages));
    return { vm, vcpus, guestMemfd };
  }

  /** An INIT'ed vCPU. */
  newVcpu(vm: Handle, id: number): Handle {
    const vcpu = this.must(vm, { request: 'KVM_CREATE_VCPU', id });
    expectOk(this.setCpuid2(vcpu));
    expectOk(this.initVcpu(vcpu));
    return vcpu;
  }

  runnableTd(): { vm: Handle; vcpus: Handle[]; guestMemfd: Handle } {
    const td = this.builtTd();
    expectOk(this.finalizeVm(td.vm));
    return td;
  }
}

export interface Asked {
  readonly waits: boolean;
  readonly result: Promise<Result>;
  readonly cancel: PendingAnswer['cancel'];
}

export interface Running {
  readonly exits: readonly VcpuExit[];
  readonly head: Partial<RunPageHead>;
  readonly result: Promise<Result>;
  readonly cancel: PendingAnswer['cancel'];
}

export function expectOk(result: Result): void {
  if (typeof result === 'string') throw new Error(result);
}

export function nameOf(event: TraceEvent): string {
  if (event.kind === 'seamcall') return event.leaf;
  return event.kind === 'ioctl' ? event.request.request : 'release';
}
