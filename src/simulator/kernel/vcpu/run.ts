/**
 * KVM_RUN executes no guest code here: a script decides the exits, and without one a vCPU runs until it
 * is cancelled. It is the only call that outlives its caller's turn.
 */
import type { VcpuStatistic } from '../../../abi/kvm/statistics.ts';
import type {
  Answer,
  Caller,
  GuestEvent,
  GuestScript,
  PendingAnswer,
  RunPage,
  RunPageInput,
  TdVmCall,
  VcpuExit,
} from '../../interface.ts';
import { done, refuse } from '../answer.ts';
import { firstRefusal } from '../checks.ts';
import { hasEvents, noEvents } from '../interrupts/inject.ts';
import type { Kernel } from '../kernel.ts';
import { acceptMemory } from '../memory/accepted-memory.ts';
import { HeldLocks } from '../mutex.ts';
import type { PendingCompletion, Vcpu, VcpuRun } from '../objects.ts';
import { count, setBlocking } from '../statistics.ts';
import { enterTd } from '../tdx/enter-td.ts';
import { completeTdVmCall, handleTdVmCall, type TdVmCallOutcome } from '../tdx/tdvmcall.ts';
import { updateMasterClock } from '../vm/clock.ts';
import { killVm, refusedAtEntry } from '../vm/vm.ts';
import { runSteps } from './run-checks.ts';
import { leavePage } from './run-page.ts';

export interface RunOptions {
  readonly kernel: Kernel;
  readonly caller: Caller;
  readonly vcpu: Vcpu;
  readonly arg: bigint;
  readonly page: RunPage;
  readonly script: GuestScript | undefined;
  /** Called when the call has got vcpu->mutex: from then on any signal ends it, and before a fatal one. */
  readonly begun: (() => void) | undefined;
  /** Called once, before the answer is given. */
  readonly ended: (answer: Answer) => void;
}

export function runVcpu(options: RunOptions): PendingAnswer {
  const { caller, vcpu } = options;
  let finish: (answer: Answer) => void = () => {};
  const answer = new Promise<Answer>((resolve) => {
    finish = resolve;
  });
  const call = new RunCall(options, finish);
  const refused = refusedAtEntry(caller, vcpu.vm);
  if (refused === undefined) call.waitForMutex();
  else call.end(refused);
  return { answer, cancel: () => call.cancel() };
}

class RunCall implements VcpuRun {
  readonly #options: RunOptions;
  readonly #finish: (answer: Answer) => void;
  /** For a script, which few runs have: to make one takes longer than all else of an entry. */
  #cancelled: AbortController | undefined;
  readonly #locks = new HeldLocks();
  #begun = false;
  #usesPage = false;
  #entered = false;
  #ended = false;
  /** The call gives the first answer when a signal ends it, and the second when the VM dies. */
  #interrupted = refuse('run.signal');
  #vmDied = refuse('run.vm-died');

  constructor(options: RunOptions, finish: (answer: Answer) => void) {
    this.#options = options;
    this.#finish = finish;
  }

  waitForMutex(): void {
    this.#locks.take([this.#options.vcpu.mutex], () => this.#begin());
  }

  #begin(): void {
    const { kernel, caller, vcpu, arg, page, begun } = this.#options;
    this.#begun = true;
    vcpu.vm.runs.add(this);
    begun?.();
    const input = page.read();
    // An argument is looked at before the page is.
    this.#usesPage = arg === 0n;
    if (this.#usesPage) page.writeHead({ flags: 0 });
    const call = { kernel, caller, vcpu, arg, page, input, complete: () => this.#complete(input) };
    const refused = firstRefusal(kernel, 'KVM_RUN', { steps: runSteps, call });
    // The completion may have made an exit of its own.
    if (this.#ended) return;
    const isInterrupted = input.immediateExit || caller.pendingSignal() !== 'none';
    if (refused?.check === 'run.waits-for-init' && !isInterrupted) {
      this.#interrupted = refused;
      setBlocking(kernel, vcpu, true);
    } else if (refused !== undefined) {
      if (refused.check === 'run.signal') count(kernel, vcpu, 'signal_exits');
      this.end(refused);
    } else if (isAwake(vcpu)) {
      this.#enter(input.result);
    } else {
      setBlocking(kernel, vcpu, true);
    }
  }

  cancel(): void {
    if (this.#ended) return;
    const { kernel, vcpu, page } = this.#options;
    if (this.#begun) {
      // The interrupt that brings the signal has the guest leave first.
      if (this.#entered) count(kernel, vcpu, 'exits', 'irq_exits');
      count(kernel, vcpu, 'signal_exits');
      page.writeExit({ reason: 'KVM_EXIT_INTR' });
    }
    this.end(this.#begun ? this.#interrupted : refuse('vcpu.busy'));
  }

  vmDied(): void {
    this.end(this.#vmDied);
  }

  end(answer: Answer): void {
    if (this.#ended) return;
    this.#ended = true;
    const { kernel, vcpu, page, ended } = this.#options;
    if (this.#usesPage) {
      if (this.#entered) count(kernel, vcpu, 'host_state_reload');
      setBlocking(kernel, vcpu, false);
      count(kernel, vcpu, 'fpu_reload');
      leavePage(kernel, vcpu, page);
    }
    vcpu.vm.runs.delete(this);
    // Without a reason of our own, each call would cost the making of an error with its stack.
    this.#cancelled?.abort('ended');
    ended(answer);
    this.#finish(answer);
    this.#locks.release();
  }

  #complete(input: RunPageInput): void {
    const { kernel, vcpu } = this.#options;
    const { pendingCompletion } = vcpu;
    const { td } = vcpu.vm;
    vcpu.pendingCompletion = undefined;
    if (td === undefined || pendingCompletion === undefined) return;
    if (pendingCompletion.completes === 'hypercall') return;
    this.#take(completeTdVmCall({ kernel, vcpu, td }, pendingCompletion, input));
  }

  #enter(result: bigint): void {
    const { kernel, vcpu } = this.#options;
    vcpu.entered = true;
    this.#entered = true;
    if (!vcpu.vm.isTd) updateMasterClock(vcpu.vm);
    if (!acceptMemory(kernel, vcpu.vm)) {
      this.end(refuse('run.no-memory'));
      return;
    }
    const entered = enterTd(kernel, vcpu);
    if (entered === 'interrupted') this.cancel();
    else if (entered !== 'entered') this.#exit(entered);
    else this.#runGuest(result);
  }

  #runGuest(result: bigint): void {
    const { script, vcpu } = this.#options;
    // Entering the guest delivers its pending events.
    vcpu.pending = noEvents();
    if (script === undefined) return;
    const { vm, tdvmcall } = vcpu;
    const guest = vm.td?.guest ?? vm.id;
    const sharedBit = vm.td === undefined ? undefined : 1n << BigInt(vm.td.sharedBit);
    vcpu.tdvmcall = undefined;
    const running = { guest, vcpuId: vcpu.id, sharedBit, result, tdvmcall };
    this.#cancelled ??= new AbortController();
    const event = script.run(running, this.#cancelled.signal);
    if (event instanceof Promise) {
      // A script that fails is a bug of whoever wrote it, and must not look like a guest that runs on.
      void event.then((late) => this.#happens(late));
    } else {
      this.#happens(event);
    }
  }

  #happens(event: GuestEvent): void {
    if (this.#ended) return;
    const { kernel, vcpu } = this.#options;
    count(kernel, vcpu, 'exits', ...countedExits(vcpu, event));
    if (event === 'touches unaccepted memory') {
      this.#vmDied = refuse('run.unaccepted-memory');
      killVm(vcpu.vm);
    } else if ('tdvmcall' in event) {
      this.#call(event);
    } else {
      this.#exit(event, pendingOf(event));
    }
  }

  #call(event: TdVmCall): void {
    const { kernel, vcpu } = this.#options;
    const { td } = vcpu.vm;
    if (td === undefined) {
      this.#exit({ reason: 'KVM_EXIT_SHUTDOWN' });
    } else if (this.#take(handleTdVmCall({ kernel, vcpu, td }, event)) === 'answered') {
      // The next entry happens in a turn of its own, so that a guest that asks without end does not
      // keep others from cancelling it.
      setImmediate(() => {
        if (!this.#ended) this.#enter(0n);
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
    this.end(exit.reason === 'KVM_EXIT_MEMORY_FAULT' ? refuse(faultChecks[exit.errno]) : done);
  }
}

/**
 * A vCPU that is halted, or that waits for a SIPI which no guest sends, is woken by an event or a
 * signal.
 */
function isAwake(vcpu: Vcpu): boolean {
  return vcpu.mpState === 'RUNNABLE' || (vcpu.mpState === 'HALTED' && hasEvents(vcpu));
}

/** By what the guest did: what KVM counts besides the exit itself. */
function countedExits({ vm: { isTd } }: Vcpu, event: GuestEvent): readonly VcpuStatistic[] {
  if (typeof event === 'string') return [];
  if ('tdvmcall' in event) return event.tdvmcall === 'Instruction.IO' ? ['io_exits'] : [];
  // A TD says itself what it would have done.
  return (isTd ? undefined : countedReasons[event.reason]) ?? [];
}

const countedReasons: Readonly<Partial<Record<VcpuExit['reason'], readonly VcpuStatistic[]>>> = {
  KVM_EXIT_IO: ['io_exits'],
  KVM_EXIT_MMIO: ['insn_emulation', 'mmio_exits'],
  KVM_EXIT_HYPERCALL: ['hypercalls'],
};

/** A memory fault is the only exit that comes with an errno. */
const faultChecks = { EFAULT: 'run.memory-fault', EHWPOISON: 'run.damaged-page' } as const;

/** Of the exits that a script gives as they are, KVM completes only MapGPA afterwards. */
function pendingOf({ reason }: VcpuExit): PendingCompletion | undefined {
  return reason === 'KVM_EXIT_HYPERCALL' ? { completes: 'hypercall' } : undefined;
}
