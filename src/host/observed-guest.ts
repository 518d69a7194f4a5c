/**
 * Reports KVM_RUN once for each vCPU and each time that the guest was entered: with EINTR where the vCPU was
 * made to leave, and with `ok` where its own exit has ended the guest.
 */
import type { Guest, GuestCounts, GuestEnd, GuestState, GuestTimes } from './guest.ts';
import { KvmError } from './kvm-error.ts';
import type { Observer } from './observer.ts';

export class ObservedGuest implements Guest {
  readonly #guest: Guest;
  readonly #vcpus: number;
  readonly #observer: Observer;
  /** When the vCPUs were entered, while they are in. */
  #enteredAt: number | undefined;

  constructor(
    guest: Guest,
    { vcpus, observer }: { readonly vcpus: number; readonly observer: Observer },
  ) {
    this.#guest = guest;
    this.#vcpus = vcpus;
    this.#observer = observer;
    void guest.ended.then((end) => this.#left(end));
  }

  get ended(): Promise<GuestEnd> {
    return this.#guest.ended;
  }

  get end(): GuestEnd | undefined {
    return this.#guest.end;
  }

  async run(letIn?: () => void): Promise<void> {
    this.#enteredAt ??= this.#observer.now();
    try {
      await this.#guest.run(letIn);
    } catch (error) {
      this.#report(error instanceof KvmError ? error.code : 'error', this.#vcpus);
      this.#enteredAt = undefined;
      throw error;
    }
  }

  async pause(atRest?: (packed: Uint8Array) => void): Promise<void> {
    await this.#guest.pause(atRest);
    this.#left(this.end);
  }

  input(bytes: Uint8Array): number {
    return this.#guest.input(bytes);
  }

  counts(): GuestCounts {
    return this.#guest.counts();
  }

  times(): GuestTimes {
    return this.#guest.times();
  }

  getState(): Promise<GuestState> {
    return this.#guest.getState();
  }

  setState(state: GuestState): Promise<void> {
    return this.#guest.setState(state);
  }

  get takePacked(): Guest['takePacked'] {
    return this.#guest.takePacked;
  }

  async close(): Promise<void> {
    await this.#guest.close();
    this.#left(this.end);
  }

  #left(end: GuestEnd | undefined): void {
    if (this.#enteredAt === undefined) return;
    if (end === undefined) this.#report('EINTR', this.#vcpus);
    else {
      this.#report(answerOf(end), 1);
      this.#report('EINTR', this.#vcpus - 1);
    }
    this.#enteredAt = undefined;
  }

  #report(answer: string, times: number): void {
    const { now, onAnswer } = this.#observer;
    const durationMs = now() - (this.#enteredAt ?? now());
    for (let time = 0; time < times; time++) {
      onAnswer({ request: 'KVM_RUN', capability: undefined, answer, durationMs });
    }
  }
}

function answerOf(end: GuestEnd): string {
  if (end.kind === 'refused') return end.error.code;
  return end.kind === 'host-gone' ? 'error' : 'ok';
}
