/**
 * The history has the calls that a program made on each of its VMs, in order. The state of a VM follows
 * from them.
 */
import { CallArgs } from './replay/call-args.ts';
import { isCall, madeBy, succeeded, type TracedCall, type TracedStep } from './traced.ts';

export interface VmHistory {
  readonly vm: string;
  /** The call that made the VM. It is undefined where the VM was made before the trace began. */
  readonly made: TracedCall | undefined;
  /** Undefined where the trace does not show the VM's type. */
  readonly isTd: boolean | undefined;
  /** Calls on the VM, its vCPUs and its guest_memfds. */
  readonly calls: TracedCall[];
  /** The line where each file of the VM was closed for the last time, by the file's name. */
  readonly closed: Map<string, number>;
}

export class TraceHistory {
  readonly vms: VmHistory[] = [];
  readonly #vmByFile = new Map<string, VmHistory>();

  /** Gives the VM that a call is about. A call on /dev/kvm is about none. */
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
    const made = madeBy(step);
    if (step.record.request === 'KVM_CREATE_VM' && made !== undefined) {
      const { type } = step.record.args;
      const isTd = type === undefined ? undefined : Number(type) === 5 || type === 'KVM_X86_TDX_VM';
      this.#add(made, step, isTd);
    }
    const vm = this.vmOf(step) ?? this.#foundVm(step);
    if (vm === undefined) return;
    vm.calls.push(step);
    if (made !== undefined) this.#vmByFile.set(made, vm);
  }

  /** Takes up a VM whose making the trace does not show. */
  #foundVm({ record }: TracedCall): VmHistory | undefined {
    return record.object.startsWith('vm#')
      ? this.#add(record.object, undefined, undefined)
      : undefined;
  }

  #add(vm: string, made: TracedCall | undefined, isTd: boolean | undefined): VmHistory {
    const history: VmHistory = { vm, made, isTd, calls: [], closed: new Map() };
    this.vms.push(history);
    this.#vmByFile.set(vm, history);
    return history;
  }
}

/** Gives the calls of a request that the kernel granted. */
export function granted(vm: VmHistory, request: string): readonly TracedCall[] {
  return vm.calls.filter((call) => call.record.request === request && succeeded(call));
}

export function isInitialized(vm: VmHistory): boolean {
  return granted(vm, 'KVM_TDX_INIT_VM').length > 0;
}

export function isFinalized(vm: VmHistory): boolean {
  return granted(vm, 'KVM_TDX_FINALIZE_VM').length > 0;
}

/** Counts the pages that went into the TD, including those of calls that were interrupted. */
export function pagesAdded(vm: VmHistory): { readonly all: bigint; readonly measured: bigint } {
  let [all, measured] = [0n, 0n];
  for (const call of vm.calls) {
    if (call.record.request !== 'KVM_TDX_INIT_MEM_REGION') continue;
    const args = new CallArgs(call.record.args);
    const asked = args.big('nr_pages') ?? 0n;
    const left = args.map('out').big('nr_pages') ?? (succeeded(call) ? 0n : asked);
    all += asked - left;
    if (((args.big('flags') ?? 0n) & 1n) !== 0n) measured += asked - left;
  }
  return { all, measured };
}
