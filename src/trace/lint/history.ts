/** What a program did with each of its VMs, in order, and where each stood at every call. */
import type { CpuidEntry } from '../../abi/kvm/structs.ts';
import { CallArgs } from './replay/call-args.ts';
import { errnoOf, isCall, madeBy, succeeded, type TracedCall, type TracedStep } from './traced.ts';

/** As the kernel has it, without TD_STATE_. */
export type TdState = 'UNINITIALIZED' | 'INITIALIZED' | 'RUNNABLE';

export interface VmHistory {
  readonly vm: string;
  /** Where it was made; undefined: before the trace began. */
  readonly made: TracedCall | undefined;
  /** undefined: the trace does not show its type. */
  readonly isTd: boolean | undefined;
  /** On the VM, its vCPUs and its guest_memfds. */
  readonly calls: TracedCall[];
  readonly vcpus: Map<string, VcpuHistory>;
  readonly guestMemfds: Set<string>;
  /** Where each file of it was closed for the last time, by its name. */
  readonly closed: Map<string, number>;
  state: TdState;
  irqchip: 'none' | 'split';
  pagesAdded: bigint;
  pagesMeasured: bigint;
}

export interface VcpuHistory {
  readonly vcpu: string;
  readonly made: TracedCall;
  readonly id: number | undefined;
  isInitialized: boolean;
  /** undefined: none was set; `unknown`: the trace does not show it. */
  cpuid: readonly CpuidEntry[] | 'unknown' | undefined;
}

export class TraceHistory {
  readonly vms: VmHistory[] = [];
  readonly #vmByFile = new Map<string, VmHistory>();

  /** The VM that a call is about; calls on /dev/kvm are about none. */
  vmOf({ record }: TracedCall): VmHistory | undefined {
    return this.#vmByFile.get(record.object);
  }

  take(step: TracedStep): void {
    const { record } = step;
    if (record.kind === 'close') {
      this.#vmByFile.get(record.object)?.closed.set(record.object, step.line);
      return;
    }
    if (!isCall(step)) return;
    this.#makeVm(step);
    const vm = this.#vmByFile.get(step.record.object) ?? this.#foundVm(step);
    if (vm === undefined) return;
    vm.calls.push(step);
    if (succeeded(step)) effects[step.record.request]?.(vm, step);
    else if (step.record.request === 'KVM_TDX_INIT_MEM_REGION') addPages(vm, step);
    const made = madeBy(step);
    if (made !== undefined) this.#vmByFile.set(made, vm);
  }

  #makeVm(step: TracedCall): void {
    const made = madeBy(step);
    if (step.record.request !== 'KVM_CREATE_VM' || made === undefined) return;
    const { type } = step.record.args;
    const isTd = type === undefined ? undefined : Number(type) === 5 || type === 'KVM_X86_TDX_VM';
    this.#add(made, step, isTd);
  }

  /** A VM that the trace does not show being made. */
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
      vcpus: new Map(),
      guestMemfds: new Set(),
      closed: new Map(),
      state: 'UNINITIALIZED',
      irqchip: 'none',
      pagesAdded: 0n,
      pagesMeasured: 0n,
    };
    this.vms.push(history);
    this.#vmByFile.set(vm, history);
    return history;
  }
}

type Effect = (vm: VmHistory, call: TracedCall) => void;

/** What a call that succeeded changes. */
const effects: Readonly<Record<string, Effect>> = {
  KVM_CREATE_VCPU: (vm, call) => {
    const vcpu = madeBy(call);
    if (vcpu === undefined) return;
    const id = new CallArgs(call.record.args).number('id');
    vm.vcpus.set(vcpu, { vcpu, made: call, id, isInitialized: false, cpuid: undefined });
  },
  KVM_CREATE_GUEST_MEMFD: (vm, call) => {
    const memfd = madeBy(call);
    if (memfd !== undefined) vm.guestMemfds.add(memfd);
  },
  KVM_ENABLE_CAP: (vm, { argsUnknown, record }) => {
    if (argsUnknown || record.args.cap === 'KVM_CAP_SPLIT_IRQCHIP') vm.irqchip = 'split';
  },
  KVM_SET_CPUID2: (vm, { record }) => {
    const vcpu = vm.vcpus.get(record.object);
    if (vcpu !== undefined) vcpu.cpuid = new CallArgs(record.args).cpuid() ?? 'unknown';
  },
  KVM_TDX_INIT_VM: (vm) => {
    vm.state = 'INITIALIZED';
  },
  KVM_TDX_INIT_VCPU: (vm, { record }) => {
    const vcpu = vm.vcpus.get(record.object);
    if (vcpu !== undefined) vcpu.isInitialized = true;
  },
  KVM_TDX_INIT_MEM_REGION: addPages,
  KVM_TDX_FINALIZE_VM: (vm) => {
    vm.state = 'RUNNABLE';
  },
};

/** Also those of a call that was interrupted. */
function addPages(vm: VmHistory, call: TracedCall): void {
  const args = new CallArgs(call.record.args);
  const asked = args.big('nr_pages');
  const left = args.map('out').big('nr_pages') ?? (errnoOf(call) === undefined ? 0n : asked);
  if (asked === undefined || left === undefined) return;
  vm.pagesAdded += asked - left;
  if (((args.big('flags') ?? 0n) & 1n) !== 0n) vm.pagesMeasured += asked - left;
}
