/**
 * The history has the calls that a program made on each VM that it still has, in order. The state of a VM
 * follows from them. Of calls that are made again and again on one file it keeps the first few and the last, so
 * that a VM takes no more room the longer it lives.
 */
import { CallArgs } from './replay/call-args.ts';
import { errnoOf, isCall, madeBy, succeeded, type TracedCall, type TracedStep } from './traced.ts';

export interface VmHistory {
  readonly vm: string;
  /** The call that made the VM. It is undefined where the VM was made before the trace began. */
  readonly made: TracedCall | undefined;
  /** Undefined where the trace does not show the VM's type. */
  readonly isTd: boolean | undefined;
  /** Calls on the VM, its vCPUs and its guest_memfds. */
  readonly calls: KeptCall[];
  /** The last call of each request. */
  readonly last: Map<string, TracedCall>;
  /** Pages that went into the TD, including those of calls that were interrupted. */
  readonly pages: { all: bigint; measured: bigint };
  /** Whether KVM_CAP_MAX_VCPUS was asked of a file of the VM. */
  asksMaxVcpus: boolean;
  /** Whether the TD lets the guest share memory, or may: KVM_CAP_EXIT_HYPERCALL. */
  takesMapGpa: boolean;
  /** Files of the VM that are open. */
  readonly open: Set<string>;
  /** The first KVM_TDX_INIT_VM of another VM after this VM itself was closed. */
  next: TracedCall | undefined;
  /** The line where each file of the VM was closed for the last time, by the file's name. */
  readonly closed: Map<string, number>;
}

export type KeptCall = TracedCall & {
  /** How many calls of the same request this one stands for besides itself. */
  readonly repeated?: number;
};

/** The first calls of a request on one file are kept, and the last. */
const mostKept = 8;

export class TraceHistory {
  /** The VMs of which some file is open. */
  readonly vms = new Set<VmHistory>();
  readonly #vmByFile = new Map<string, VmHistory>();
  /** The VMs that were closed themselves, while others of their files are open. */
  readonly #closedFirst = new Set<VmHistory>();
  /** Where the kept calls of a kind stand in the calls of their VM, by file. */
  readonly #kept = new Map<string, Map<string, number[]>>();
  /** The first call that asked for KVM_CAP_MAX_VCPUS, whatever the file. */
  maxVcpusAsked: TracedCall | undefined;

  /** Gives the VM that a call is about. A call on /dev/kvm is about none. */
  vmOf({ record }: TracedCall): VmHistory | undefined {
    return this.#vmByFile.get(record.object);
  }

  /** @returns the VM whose last file this step has closed. It is forgotten. */
  take(step: TracedStep): VmHistory | undefined {
    const { record } = step;
    if (record.kind === 'close') return this.#close(record.object, step.line);
    if (isCall(step)) this.#call(step);
    return undefined;
  }

  #close(file: string, line: number): VmHistory | undefined {
    const vm = this.#vmByFile.get(file);
    if (vm === undefined) return undefined;
    vm.closed.set(file, line);
    vm.open.delete(file);
    if (vm.open.size > 0) {
      if (file === vm.vm) this.#closedFirst.add(vm);
      return undefined;
    }
    for (const each of vm.closed.keys()) {
      this.#vmByFile.delete(each);
      this.#kept.delete(each);
    }
    this.#closedFirst.delete(vm);
    this.vms.delete(vm);
    return vm;
  }

  #call(step: TracedCall): void {
    const made = madeBy(step);
    if (step.record.request === 'KVM_CREATE_VM' && made !== undefined) {
      const { type } = step.record.args;
      const isTd = type === undefined ? undefined : Number(type) === 5 || type === 'KVM_X86_TDX_VM';
      this.#add(made, step, isTd);
    }
    if (asksMaxVcpus(step)) this.maxVcpusAsked ??= step;
    const vm = this.vmOf(step) ?? this.#foundVm(step);
    if (vm === undefined) return;
    this.#keep(vm, step);
    if (step.record.request === 'KVM_TDX_INIT_VM' && succeeded(step)) this.#initialized(vm, step);
    if (made === undefined) return;
    this.#vmByFile.set(made, vm);
    vm.open.add(made);
  }

  #keep(vm: VmHistory, step: TracedCall): void {
    const { object, request } = step.record;
    vm.last.set(request, step);
    if (request === 'KVM_TDX_INIT_MEM_REGION') addPages(vm.pages, step);
    vm.asksMaxVcpus ||= asksMaxVcpus(step);
    vm.takesMapGpa ||= mayTakeMapGpa(step);
    const errno = errnoOf(step);
    const places = this.#placesOf(object, errno === undefined ? request : `${request} ${errno}`);
    const last = places.at(-1);
    const before = last === undefined ? undefined : vm.calls[last];
    // What made a file is told by the name of the file.
    if (places.length < mostKept || before === undefined || last === undefined || madeBy(step)) {
      places.push(vm.calls.length);
      vm.calls.push(step);
    } else {
      vm.calls[last] = { ...step, repeated: (before.repeated ?? 0) + 1 };
    }
  }

  #placesOf(file: string, kind: string): number[] {
    const ofFile = this.#kept.get(file) ?? new Map<string, number[]>();
    if (ofFile.size === 0) this.#kept.set(file, ofFile);
    const places = ofFile.get(kind) ?? [];
    if (places.length === 0) ofFile.set(kind, places);
    return places;
  }

  #initialized(vm: VmHistory, step: TracedCall): void {
    for (const other of this.#closedFirst) {
      if (other === vm) continue;
      other.next = step;
      this.#closedFirst.delete(other);
    }
  }

  /** Takes up a VM whose making the trace does not show. */
  #foundVm({ record }: TracedCall): VmHistory | undefined {
    return record.object.startsWith('vm#')
      ? this.#add(record.object, undefined, undefined)
      : undefined;
  }

  #add(vm: string, made: TracedCall | undefined, isTd: boolean | undefined): VmHistory {
    const history: VmHistory = {
      vm,
      made,
      isTd,
      calls: [],
      last: new Map(),
      pages: { all: 0n, measured: 0n },
      open: new Set([vm]),
      asksMaxVcpus: false,
      // A capability may have been enabled before the trace began.
      takesMapGpa: made === undefined,
      next: undefined,
      closed: new Map(),
    };
    this.vms.add(history);
    this.#vmByFile.set(vm, history);
    return history;
  }
}

/** Whether a call asks how many vCPUs there may be. */
function asksMaxVcpus({ record }: TracedCall): boolean {
  return record.request === 'KVM_CHECK_EXTENSION' && record.args.cap === 'KVM_CAP_MAX_VCPUS';
}

/** Gives the calls of a request that the kernel granted. */
export function granted(vm: VmHistory, request: string): readonly KeptCall[] {
  return vm.calls.filter((call) => call.record.request === request && succeeded(call));
}

export function isInitialized(vm: VmHistory): boolean {
  return granted(vm, 'KVM_TDX_INIT_VM').length > 0;
}

export function isFinalized(vm: VmHistory): boolean {
  return granted(vm, 'KVM_TDX_FINALIZE_VM').length > 0;
}

const MAP_GPA_RANGE = 1n << 12n;

/** Where the trace does not show which capability was enabled, it may have been this one. */
function mayTakeMapGpa({ record, argsUnknown }: TracedCall): boolean {
  if (record.request !== 'KVM_ENABLE_CAP') return false;
  const [mask] = new CallArgs(record.args).bigs('args');
  const isOn = record.args.cap === 'KVM_CAP_EXIT_HYPERCALL' && ((mask ?? 0n) & MAP_GPA_RANGE) > 0n;
  return argsUnknown === true || isOn;
}

function addPages(pages: VmHistory['pages'], call: TracedCall): void {
  const args = new CallArgs(call.record.args);
  const asked = args.big('nr_pages') ?? 0n;
  const left = args.map('out').big('nr_pages') ?? (succeeded(call) ? 0n : asked);
  pages.all += asked - left;
  if (((args.big('flags') ?? 0n) & 1n) !== 0n) pages.measured += asked - left;
}
