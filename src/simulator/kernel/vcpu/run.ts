/**
 * KVM_RUN (kernel-abi 2.14). There is no guest code: a script decides the exits, and without one a
 * vCPU runs until it is cancelled. Only here does a call outlive its caller's turn.
 */
import type {
  Answer,
  Caller,
  GuestEvent,
  GuestScript,
  PendingRun,
  RunPage,
  RunPageInput,
  TdVmCall,
  VcpuExit,
} from '../../interface.ts';
import { done, refuse } from '../answer.ts';
import { hasEvents, noEvents } from '../interrupts/inject.ts';
import type { Kernel } from '../kernel.ts';
import type { PendingCompletion, Vcpu, VcpuRun } from '../objects.ts';
import { enterTd } from '../tdx/enter-td.ts';
import {
  completeTdVmCall,
  handleTdVmCall,
  mapGpaStatus,
  type TdVmCallOutcome,
} from '../tdx/tdvmcall.ts';
import { updateMasterClock } from '../vm/clock.ts';
import { killVm } from '../vm/vm.ts';

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
    if (refused === 'blocks' || refused === 'exits again') return;
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
  #check(input: RunPageInput): Answer | 'blocks' | 'exits again' | undefined {
    const { vcpu, caller } = this.#options;
    if (vcpu.vm.dead) return refuse('EIO');
    const interrupted = input.immediateExit || caller.pendingSignal() !== 'none';
    // A vCPU that waits for its INIT; KVM_TDX_INIT_VCPU cannot come, as this call has the mutex.
    if (vcpu.mpState === 'UNINITIALIZED') return interrupted ? refuse('EINTR') : 'blocks';
    if (vcpu.td !== undefined && input.syncRegs !== 0n) return refuse('EINVAL');
    // What user space was asked to do is completed first, also when it wants to leave at once.
    const completed = this.#complete(input);
    if (completed !== undefined) return completed;
    if (input.immediateExit) return refuse('EINTR');
    // A TD never gets its SIPI.
    if (vcpu.mpState === 'INIT_RECEIVED' && vcpu.td !== undefined) return refuse('EINVAL');
    // vcpu_needs_initialization
    const runnable = vcpu.vm.td === undefined || vcpu.vm.td.state === 'RUNNABLE';
    if (vcpu.td?.state === 'UNINITIALIZED' || !runnable) return refuse('EINVAL');
    if (interrupted) return refuse('EINTR');
    // Halted, or waiting for a SIPI that no guest sends: an event wakes it, or a signal.
    if (vcpu.mpState === 'RUNNABLE') return undefined;
    return vcpu.mpState === 'HALTED' && hasEvents(vcpu) ? undefined : 'blocks';
  }

  #complete(input: RunPageInput): Answer | 'exits again' | undefined {
    const { kernel, vcpu } = this.#options;
    const { pendingCompletion } = vcpu;
    vcpu.pendingCompletion = undefined;
    if (pendingCompletion === undefined) return undefined;
    if (pendingCompletion.completes === 'hypercall') {
      return mapGpaStatus(kernel, input.result) === 'EINVAL' ? refuse('EINVAL') : undefined;
    }
    const { td } = vcpu.vm;
    if (td === undefined) return undefined;
    const outcome = completeTdVmCall({ kernel, vcpu, td }, pendingCompletion, input);
    if (outcome === 'EINVAL') return refuse('EINVAL');
    return this.#take(outcome) === 'exits' ? 'exits again' : undefined;
  }

  #enter({ result }: RunPageInput): void {
    const { kernel, vcpu } = this.#options;
    vcpu.entered = true;
    if (!vcpu.vm.isTd) updateMasterClock(vcpu.vm);
    const entered = enterTd(kernel, vcpu);
    if (entered === 'interrupted') this.cancel();
    else if (entered !== 'entered') this.#exit(entered);
    else this.#runGuest(result);
  }

  #runGuest(result: bigint): void {
    const { script, vcpu } = this.#options;
    // Entering the guest is what delivers an event to it.
    vcpu.pending = noEvents();
    if (script === undefined) return;
    const { vm, tdvmcall } = vcpu;
    const guest = vm.td?.guest ?? vm.id;
    const sharedBit = vm.td === undefined ? undefined : 1n << BigInt(vm.td.sharedBit);
    vcpu.tdvmcall = undefined;
    const running = { guest, vcpuId: vcpu.id, sharedBit, result, tdvmcall };
    const event = script.run(running, this.#cancelled.signal);
    if (event instanceof Promise) {
      // A script that fails is a bug of whoever wrote it: it must not look like a guest that runs on.
      void event.then((late) => this.#happens(late));
    } else {
      this.#happens(event);
    }
  }

  #happens(event: GuestEvent): void {
    if (this.#ended) return;
    const { vcpu } = this.#options;
    if (event === 'touches unaccepted memory') killVm(vcpu.vm);
    else if ('tdvmcall' in event) this.#call(event);
    else this.#exit(event, pendingOf(event));
  }

  #call(event: TdVmCall): void {
    const { kernel, vcpu } = this.#options;
    const { td } = vcpu.vm;
    if (td === undefined) {
      this.#exit({ reason: 'KVM_EXIT_SHUTDOWN' });
    } else if (this.#take(handleTdVmCall({ kernel, vcpu, td }, event)) === 'answered') {
      // In a turn of its own: a guest that asks without end must not keep others from cancelling it.
      setImmediate(() => {
        if (!this.#ended) this.#enter({ immediateExit: false, syncRegs: 0n, result: 0n });
      });
    }
  }

  #take(outcome: TdVmCallOutcome): 'answered' | 'exits' {
    if ('exit' in outcome) {
      this.#exit(outcome.exit, outcome.pending);
      return 'exits';
    }
    this.#options.vcpu.tdvmcall = outcome.answer;
    return 'answered';
  }

  #exit(exit: VcpuExit, pending?: PendingCompletion): void {
    const { vcpu, page } = this.#options;
    vcpu.pendingCompletion = pending;
    page.writeExit(exit);
    this.end(exit.reason === 'KVM_EXIT_MEMORY_FAULT' ? refuse(exit.errno) : done);
  }
}

/** Of the exits that a script gives as they are, only MapGPA is looked at again. */
function pendingOf({ reason }: VcpuExit): PendingCompletion | undefined {
  return reason === 'KVM_EXIT_HYPERCALL' ? { completes: 'hypercall' } : undefined;
}
