/**
 * KVM_RUN (kernel-abi 2.14). There is no guest code: a script decides the exits, and without one a
 * vCPU runs until it is cancelled. Only here does a call outlive its caller's turn.
 */
import { isStatus, statusCodes } from '../../abi/tdx/status.ts';
import type {
  Answer,
  Caller,
  GuestEvent,
  GuestScript,
  PendingRun,
  RunPage,
  RunPageInput,
  VcpuExit,
} from '../interface.ts';
import { done, refuse } from './answer.ts';
import type { Kernel } from './kernel.ts';
import type { Vcpu } from './vcpu.ts';
import { killVm } from './vm.ts';

/** A KVM_RUN that is under way. */
export interface VcpuRun {
  /** It has vcpu->mutex. */
  begin(): void;
  /** KVM_REQ_VM_DEAD: ends with EIO. */
  vmDied(): void;
  cancel(): void;
}

export interface RunOptions {
  readonly kernel: Kernel;
  readonly caller: Caller;
  readonly vcpu: Vcpu;
  readonly arg: bigint;
  readonly page: RunPage;
  readonly script: GuestScript | undefined;
  /** Called once, before the answer is given. */
  readonly ended: (answer: Answer) => void;
}

export function runVcpu(options: RunOptions): PendingRun {
  const { caller, vcpu, arg } = options;
  let finish: (answer: Answer) => void = () => {};
  const answer = new Promise<Answer>((resolve) => {
    finish = resolve;
  });
  const call = new RunCall(options, finish);
  // G1, then vcpu->mutex: another KVM_RUN of this vCPU holds it until that one ends.
  if (caller.mm !== vcpu.vm.mm || vcpu.vm.dead) call.end(refuse('EIO'));
  else if (arg !== 0n) call.end(refuse('EINVAL'));
  else if (vcpu.run === undefined) call.begin();
  else vcpu.waitingRuns.push(call);
  return { answer, cancel: () => call.cancel() };
}

class RunCall implements VcpuRun {
  readonly #options: RunOptions;
  readonly #finish: (answer: Answer) => void;
  readonly #cancelled = new AbortController();
  #ended = false;

  constructor(options: RunOptions, finish: (answer: Answer) => void) {
    this.#options = options;
    this.#finish = finish;
  }

  begin(): void {
    const { vcpu } = this.#options;
    vcpu.run = this;
    vcpu.vm.runs.add(this);
    const input = this.#options.page.read();
    const refused = this.#check(input);
    if (refused === 'blocks') return;
    if (refused === undefined) this.#enter(input);
    else this.end(refused);
  }

  cancel(): void {
    if (this.#ended) return;
    this.#options.page.writeExit({ reason: 'KVM_EXIT_INTR' });
    this.end(refuse('EINTR'));
  }

  vmDied(): void {
    this.end(refuse('EIO'));
  }

  end(answer: Answer): void {
    if (this.#ended) return;
    this.#ended = true;
    const { vcpu, ended } = this.#options;
    const waiting = vcpu.waitingRuns.indexOf(this);
    if (waiting >= 0) vcpu.waitingRuns.splice(waiting, 1);
    vcpu.vm.runs.delete(this);
    const heldMutex = vcpu.run === this;
    if (heldMutex) vcpu.run = undefined;
    this.#cancelled.abort();
    ended(answer);
    this.#finish(answer);
    if (heldMutex) vcpu.waitingRuns.shift()?.begin();
  }

  /** The checks before the guest is entered, in their order; `blocks` until a signal comes. */
  #check(input: RunPageInput): Answer | 'blocks' | undefined {
    const { kernel, vcpu, caller } = this.#options;
    if (vcpu.vm.dead) return refuse('EIO');
    const interrupted = input.immediateExit || caller.pendingSignal() !== 'none';
    // A vCPU that waits for its INIT; KVM_TDX_INIT_VCPU cannot come, as this call has the mutex.
    if (vcpu.mpState === 'UNINITIALIZED') return interrupted ? refuse('EINTR') : 'blocks';
    if (vcpu.td !== undefined && input.syncRegs !== 0n) return refuse('EINVAL');
    // What user space was asked to do is completed first, also when it wants to leave at once.
    const { pendingExit } = vcpu;
    vcpu.pendingExit = undefined;
    if (pendingExit?.reason === 'KVM_EXIT_HYPERCALL') {
      const accepts = kernel.abi.mapGpaResults === 'any' || mapGpaResults.has(input.result);
      if (!accepts) return refuse('EINVAL');
    }
    if (input.immediateExit) return refuse('EINTR');
    // vcpu_needs_initialization
    const runnable = vcpu.vm.td === undefined || vcpu.vm.td.state === 'RUNNABLE';
    if (vcpu.td?.state === 'UNINITIALIZED' || !runnable) return refuse('EINVAL');
    return interrupted ? refuse('EINTR') : undefined;
  }

  #enter({ result }: RunPageInput): void {
    const { kernel, vcpu } = this.#options;
    const entered = enterTd(kernel, vcpu);
    if (entered === 'interrupted') this.cancel();
    else if (entered === 'refused') this.#exit(unexpectedExitReason);
    else this.#runGuest(result);
  }

  #runGuest(result: bigint): void {
    const { script, vcpu } = this.#options;
    if (script === undefined) return;
    const guest = vcpu.vm.td?.tdr ?? -vcpu.vm.id;
    const event = script.run({ guest, vcpuId: vcpu.id, result }, this.#cancelled.signal);
    if (event instanceof Promise) {
      // A script that fails is a bug of whoever wrote it: it must not look like a guest that runs on.
      void event.then((late) => this.#exit(late));
    } else {
      this.#exit(event);
    }
  }

  #exit(event: GuestEvent): void {
    if (this.#ended) return;
    const { vcpu, page } = this.#options;
    if (event === 'touches unaccepted memory') {
      killVm(vcpu.vm);
      return;
    }
    if (asksUserSpace(event)) vcpu.pendingExit = event;
    page.writeExit(event);
    this.end(event.reason === 'KVM_EXIT_MEMORY_FAULT' ? refuse(event.errno) : done);
  }
}

/** KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON: a status of TDH.VP.ENTER that KVM does not handle. */
const unexpectedExitReason: VcpuExit = { reason: 'KVM_EXIT_INTERNAL_ERROR', suberror: 4 };

/** KVM enters again for as long as the TD's epoch is busy; a signal ends that on a real host. */
const mostTries = 1000;

/** TDH.VP.ENTER on the logical CPU that has the vCPU. Nothing to do on a VM that is no TD. */
function enterTd(kernel: Kernel, { td }: Vcpu): 'entered' | 'refused' | 'interrupted' {
  if (td?.tdvpr === undefined || kernel.tdx === undefined) return 'entered';
  const logicalCpu = td.logicalCpu ?? 0;
  for (let tries = 0; tries < mostTries; tries++) {
    const status = kernel.tdx.module.seamcall('TDH.VP.ENTER', { rcx: td.tdvpr }, logicalCpu);
    if (status === statusCodes.TDX_SUCCESS) {
      td.logicalCpu = logicalCpu;
      return 'entered';
    }
    if (!isStatus(status, 'TDX_OPERAND_BUSY')) return 'refused';
  }
  return 'interrupted';
}

/** 0, EAGAIN (the guest shall retry), EINVAL. */
const mapGpaResults: ReadonlySet<bigint> = new Set([0n, 11n, 22n]);

function asksUserSpace(exit: VcpuExit): boolean {
  return (
    exit.reason === 'KVM_EXIT_IO' ||
    exit.reason === 'KVM_EXIT_HYPERCALL' ||
    exit.reason === 'KVM_EXIT_TDX'
  );
}
