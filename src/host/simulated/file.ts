import { errnoNumbers } from '../../abi/kvm/errno.ts';
import type { RequestName } from '../../abi/kvm/requests.ts';
import type {
  Answer,
  Caller,
  Handle,
  PendingRun,
  Request,
  RunPage,
  SimulatedMachine,
} from '../../simulator/index.ts';
import { KvmError } from '../kvm-error.ts';

/** A simulated machine and the process that uses it through the port. */
export interface SimulatedProcess {
  readonly machine: SimulatedMachine;
  readonly caller: Caller;
  /** Open, in the order of opening. */
  readonly files: Set<SimulatedFile>;
}

/** One open file description of that process: what `close` and "use after close" mean. */
export class SimulatedFile {
  readonly process: SimulatedProcess;
  readonly #handle: Handle;
  #closed = false;

  constructor(process: SimulatedProcess, handle: Handle) {
    this.process = process;
    this.#handle = handle;
    process.files.add(this);
  }

  /** @throws KvmError EBADF after {@link close}. */
  handleFor(request: RequestName): Handle {
    if (this.#closed) throw KvmError.of(request, 'EBADF');
    return this.#handle;
  }

  get openHandle(): Handle | undefined {
    return this.#closed ? undefined : this.#handle;
  }

  /** KVM_RUN, which answers later. */
  run(page: RunPage): PendingRun {
    const handle = this.handleFor('KVM_RUN');
    return this.process.machine.run(this.process.caller, handle, {
      request: 'KVM_RUN',
      arg: 0n,
      page,
    });
  }

  /** Makes the ioctl and gives its value. @throws KvmError when it is refused. */
  ioctl(request: Request): number {
    return answerValue(request.request, this.answer(request));
  }

  /** The same for a caller that has something to do about a refusal. */
  answer(request: Request): Answer {
    const handle = this.handleFor(request.request);
    return this.process.machine.ioctl(this.process.caller, handle, request);
  }

  /** A new file that an ioctl of this one made. */
  open(request: Request): SimulatedFile {
    return new SimulatedFile(this.process, this.ioctl(request));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.process.files.delete(this);
    this.process.machine.release(this.#handle);
  }
}

export function answerValue(request: RequestName, answer: Answer): number {
  if (answer.ok) return answer.value;
  throw new KvmError({ request, errno: errnoNumbers[answer.errno], hwStatus: answer.hwError });
}
