import type { CapabilityName } from '../../abi/kvm/capabilities.ts';
import { errnoNumbers } from '../../abi/kvm/errno.ts';
import type { RequestName } from '../../abi/kvm/requests.ts';
import type {
  Answer,
  Caller,
  Handle,
  KnownRequest,
  PendingAnswer,
  RunPage,
  SimulatedMachine,
} from '../../simulator/index.ts';
import { KvmError } from '../kvm-error.ts';
import { stall } from '../stall.ts';

/** A simulated machine and the process that uses it through the port. */
export interface SimulatedProcess {
  readonly machine: SimulatedMachine;
  readonly caller: Caller;
  /** The open files, in the order of opening. */
  readonly files: Set<SimulatedFile>;
  /** It has died: whatever a call under way still opens for it is closed at once. */
  hasExited: boolean;
}

/** An open file description, which several fds may name. The last one to close releases it. */
interface Description {
  readonly handle: Handle;
  fds: number;
}

/** One fd of that process. It knows what `close` and use after close mean. */
export class SimulatedFile {
  readonly process: SimulatedProcess;
  readonly #description: Description;
  #closed = false;

  constructor(process: SimulatedProcess, file: Handle | Description) {
    this.process = process;
    this.#description = typeof file === 'number' ? { handle: file, fds: 0 } : file;
    this.#description.fds++;
    process.files.add(this);
    if (process.hasExited) this.close();
  }

  /** Passes the file on as dup(2) does, or as SCM_RIGHTS does where `process` is another. */
  passTo(process: SimulatedProcess): SimulatedFile {
    return new SimulatedFile(process, this.#description);
  }

  /** @throws KvmError EBADF after {@link close}. */
  handleFor(request: RequestName): Handle {
    if (this.#closed) throw KvmError.of(request, 'EBADF');
    return this.#description.handle;
  }

  get openHandle(): Handle | undefined {
    return this.#closed ? undefined : this.#description.handle;
  }

  /** Makes KVM_RUN, which answers later. */
  run(page: RunPage): PendingAnswer {
    const handle = this.handleFor('KVM_RUN');
    return this.process.machine.run(this.process.caller, handle, {
      request: 'KVM_RUN',
      arg: 0n,
      page,
    });
  }

  /**
   * Makes an ioctl that waits for nothing, and gives its value.
   *
   * @param capability what KVM_ENABLE_CAP or KVM_CHECK_EXTENSION is asked for.
   * @throws KvmError when it is refused.
   */
  ioctl(request: KnownRequest, capability?: CapabilityName): number {
    const { machine, caller } = this.process;
    const answer = this.#closed
      ? fdIsClosed
      : machine.ioctl(caller, this.#description.handle, request);
    return answerValue(request.request, answer, capability);
  }

  /**
   * Makes an ioctl that may come to a vCPU which runs, and waits for that as the kernel does; EINTR where
   * it has waited for longer than anything is repeated.
   *
   * There is a promise only where it has to wait, which is next to never.
   *
   * @throws KvmError when it is refused.
   */
  waited(request: KnownRequest, capability?: CapabilityName): number | Promise<number> {
    const answer = this.waitedAnswer(request);
    if (answer instanceof Promise) {
      return answer.then((given) => answerValue(request.request, given, capability));
    }
    return answerValue(request.request, answer, capability);
  }

  /** Does the same for a caller that has something to do about a refusal. */
  waitedAnswer(request: KnownRequest): Answer | Promise<Answer> {
    if (this.#closed) return fdIsClosed;
    const { machine, caller } = this.process;
    const answer = machine.call(caller, this.#description.handle, request);
    return 'cancel' in answer ? boundedWait(answer) : answer;
  }

  /** Makes an ioctl that makes a new file, and opens that. */
  async open(request: KnownRequest): Promise<SimulatedFile> {
    return new SimulatedFile(this.process, await this.waited(request));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.process.files.delete(this);
    this.#description.fds--;
    if (this.#description.fds === 0) this.process.machine.release(this.#description.handle);
  }
}

async function boundedWait({ answer, cancel }: PendingAnswer): Promise<Answer> {
  const bound = setTimeout(cancel, stall.timeoutMs);
  const given = await answer;
  clearTimeout(bound);
  return given;
}

const fdIsClosed: Answer = {
  ok: false,
  errno: 'EBADF',
  hwError: undefined,
  check: undefined,
};

export function answerValue(
  request: RequestName,
  answer: Answer,
  capability?: CapabilityName,
): number {
  if (answer.ok) return answer.value;
  throw refusal(request, answer, capability);
}

export function refusal(
  request: RequestName,
  { errno, hwError: hwStatus, check, leaf }: Extract<Answer, { readonly ok: false }>,
  capability?: CapabilityName,
): KvmError {
  // A refusal is an answer here: where it was made is no news, and to find that out takes longer than all else of it.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return new KvmError({ request, capability, errno: errnoNumbers[errno], hwStatus, check, leaf });
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}
