/**
 * The locks that a call can hold for longer than its own turn: kvm->lock of a VM, and the mutex of each
 * vCPU. KVM_RUN holds its vCPU's mutex, and a call that waits for one lock holds those that it has got
 * already. All other locks of the kernel are given back before a call answers, and so are not modelled.
 */
import type { CheckName } from '../../abi/kvm/checks/index.ts';
import type { Answer } from '../interface.ts';
import { type Refusal, refuse } from './answer.ts';
import type { Kernel } from './kernel.ts';
import { HeldLocks, type Mutex } from './mutex.ts';
import type { Vm } from './objects.ts';

/** What a call answers where a fatal signal ends its wait, and how it goes on where none does. */
export interface Blocked extends Refusal {
  readonly waitsFor: readonly Mutex[];
  /** Performs the call again with the locks taken. What it has copied in is not copied again. */
  readonly goOn?: () => Answer;
}

export function isBlocked(answer: Answer): answer is Blocked {
  return 'waitsFor' in answer;
}

/**
 * Gives a refusal where others hold one of the locks. The call under way may hold them itself, because it
 * has waited for them.
 *
 * @param check the row of the wait, where a signal can end it: kvm->lock is waited for without.
 */
export function blocked(
  { locks }: Kernel,
  waitsFor: readonly Mutex[],
  check?: CheckName,
): Blocked | undefined {
  if (waitsFor.every((mutex) => !mutex.isHeld || mutex.isHeldBy(locks))) return undefined;
  const interrupted: Refusal =
    check === undefined
      ? { ok: false, errno: 'EINTR', hwError: undefined, check: undefined }
      : refuse(check);
  return { ...interrupted, waitsFor };
}

/** A call that may come to a lock. It is performed again, from its beginning, once it has the lock. */
export function resumable(perform: () => Answer): Answer {
  const answer = perform();
  if (!isBlocked(answer)) return answer;
  const resumed: Blocked = { ...answer, goOn: perform };
  return resumed;
}

/** kvm_lock_all_vcpus() and the lock around it. */
export function allLocks(...vms: readonly Vm[]): readonly Mutex[] {
  return [
    ...vms.map(({ lock }) => lock),
    ...vms.flatMap(({ vcpus }) => vcpus.map(({ mutex }) => mutex)),
  ];
}

interface WaitingCallEvents {
  readonly goesOn: () => void;
  /** Called before anybody else gets the locks. */
  readonly ended: (answer: Answer) => void;
}

/** A call that waits for its locks. */
export class WaitingCall {
  readonly #kernel: Kernel;
  readonly #on: WaitingCallEvents;
  readonly #locks = new HeldLocks();
  /** What it waits for; undefined once it has answered. */
  #blocked: Blocked | undefined;

  constructor(kernel: Kernel, blocked: Blocked, on: WaitingCallEvents) {
    this.#kernel = kernel;
    this.#on = on;
    this.#waitFor(blocked);
  }

  /** A fatal signal ends the wait. */
  cancel(): void {
    if (this.#blocked !== undefined) this.#end(withoutWait(this.#blocked));
  }

  #waitFor(blocked: Blocked): void {
    this.#blocked = blocked;
    this.#locks.take(blocked.waitsFor, () => this.#goOn(blocked));
  }

  #goOn(blocked: Blocked): void {
    const kernel = this.#kernel;
    // A call that kills its VM ends a KVM_RUN, and so lets another call go on within this one.
    const outer = kernel.locks;
    kernel.locks = this.#locks;
    this.#on.goesOn();
    const answer = blocked.goOn?.() ?? blocked;
    kernel.locks = outer;
    if (isBlocked(answer)) this.#waitFor(answer);
    else this.#end(answer);
  }

  #end(answer: Answer): void {
    this.#blocked = undefined;
    this.#on.ended(answer);
    this.#locks.release();
  }
}

/** The answer of a call whose wait a signal has ended. */
export function withoutWait(answer: Answer): Answer {
  if (!isBlocked(answer)) return answer;
  const { errno, hwError, check } = answer;
  return { ok: false, errno, hwError, check };
}
