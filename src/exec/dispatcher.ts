/**
 * Carries what programs ask of KVM to the simulated machine, and its answers back. Everything but
 * KVM_RUN, and what waits for a lock that it holds, is answered at once; the order of calls and closes is that in
 * which they happened.
 */
import type {
  CallNumber,
  FileNumber,
  InstalledFile,
  NewFile,
  NotInstalled,
  Supervisor,
  UnservedCall,
} from '../../native/index.ts';
import { errnoNumbers } from '../abi/kvm/errno.ts';
import type {
  Answer,
  Copies,
  FallocateRequest,
  GuestScript,
  Handle,
  MadeFile,
  PendingAnswer,
  Request,
  RunRequest,
  SimulatedMachine,
  UserMemory,
} from '../simulator/index.ts';
import { DigestingMemory } from '../trace/index.ts';
import { decode } from './codec/index.ts';
import { newFile } from './new-files.ts';
import { type ProgramFile, ProgramFiles } from './program-files.ts';
import { type CallingThread, type TrappedBy, TrappedCall } from './trapped-call.ts';

export interface CallListener {
  /** A program has called open() on /dev/kvm. */
  opened(thread: CallingThread, answer: Answer | 'interrupted', made?: ProgramFile): void;
  called(call: AnsweredCall): void;
  /** The last fd and mapping of a file are gone, and the kernel has released it. */
  closed(file: ProgramFile): void;
  /** A program asked KVM in a way that is not served, and got this errno. */
  unserved(call: UnservedCall, errno: string): void;
}

export interface AnsweredCall {
  readonly thread: CallingThread;
  readonly file: ProgramFile;
  readonly request: Request | RunRequest;
  /** What the machine answered. A thread that was killed meanwhile did not get it. */
  readonly answer: Answer;
  readonly delivered: boolean;
  readonly made?: ProgramFile | undefined;
  /** What the kernel model copied in and out. */
  readonly copies: Copies;
  /** The digest of the pages that the call put into a TD. */
  readonly content?: string | undefined;
}

export interface DispatcherOptions {
  readonly machine: SimulatedMachine;
  readonly supervisor: Supervisor;
  /** The misc cgroup of the command. */
  readonly cgroup: string;
  /** What its guests do, in place of the machine's own script. */
  readonly guest?: GuestScript | undefined;
  readonly listener: CallListener;
  /** The machine has carried out a call, and the program does not know it yet. */
  readonly beforeAnswer?: (() => void) | undefined;
  /**
   * With `all`, the listener is told what every call copied in and out, with a digest of the pages that
   * went into a TD; with `needed`, only the copies of those requests that say nothing without them, and the
   * supervisor answers by itself what /dev/kvm answers to everybody.
   */
  readonly hears: 'all' | 'needed';
  /** Called with the name of an errno where this process lacks what it needs to go on. */
  readonly outOfFiles: (code: string) => void;
  /** Called with what was thrown while a call was answered that had been kept; it got EIO. */
  readonly threw: (error: unknown) => void;
}

export class Dispatcher {
  readonly files = new ProgramFiles();
  readonly #options: DispatcherOptions;
  /** The calls that the machine has not answered yet, and how to end each. */
  readonly #underWay = new Map<CallNumber, { readonly handle: Handle; cancel(): void }>();
  /** The last close of these files came while a call still used them. */
  readonly #closing = new Set<ProgramFile>();
  readonly #copies = new WeakMap<Request | RunRequest, Copies>();

  readonly #trappedBy: TrappedBy;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    const { supervisor, cgroup } = options;
    this.#trappedBy = { supervisor, files: this.files, cgroup };
    if (options.hears === 'all') this.#noteCopies();
  }

  opened(
    call: CallNumber,
    thread: CallingThread,
    how: Pick<NewFile, 'closeOnExec' | 'flags'>,
  ): void {
    const { machine, supervisor, listener } = this.#options;
    const answer = machine.open();
    if (!answer.ok) {
      const delivered = supervisor.refuse(call, errnoNumbers[answer.errno]);
      listener.opened(thread, delivered ? answer : 'interrupted');
      return;
    }
    const { made } = answer;
    if (made === undefined) throw new Error('an open that made no file');
    const { given, delivered, file } = this.#giveFile(call, answer, { ...newFile(made), ...how });
    listener.opened(thread, delivered ? given : 'interrupted', file);
  }

  ioctl(
    number: CallNumber,
    thread: CallingThread,
    asked: { readonly file: FileNumber; readonly request: number; readonly argument: bigint },
  ): void {
    const file = this.files.get(asked.file);
    if (file === undefined) {
      this.#options.supervisor.refuse(number, errnoNumbers.EBADF);
      return;
    }
    const call = new TrappedCall(this.#trappedBy, {
      call: number,
      thread,
      file,
      request: asked.request,
      argument: asked.argument,
    });
    this.#perform(call);
  }

  /** fallocate(): asked of the machine, and then done to what stands for the guest_memfd. */
  fallocate(
    number: CallNumber,
    thread: CallingThread,
    asked: { readonly file: FileNumber } & Omit<FallocateRequest, 'request'>,
  ): void {
    const { supervisor, machine, listener } = this.#options;
    const { file: fileNumber, ...how } = asked;
    const file = this.files.get(fileNumber);
    if (file === undefined) {
      supervisor.refuse(number, errnoNumbers.EBADF);
      return;
    }
    const call = new TrappedCall(this.#trappedBy, {
      call: number,
      thread,
      file,
      request: 0,
      argument: 0n,
    });
    const request = { request: 'fallocate', ...how } as const;
    const answer = machine.ioctl(call.caller(call.memory), file.handle, request);
    const delivered = answer.ok
      ? supervisor.letThrough(number)
      : supervisor.refuse(number, errnoNumbers[answer.errno]);
    listener.called({ thread, file, request, answer, delivered, copies: {} });
  }

  interrupted(call: CallNumber): void {
    this.#underWay.get(call)?.cancel();
  }

  closed(number: FileNumber): void {
    const file = this.files.remove(number);
    if (file === undefined) return;
    // A call under way holds its file until it ends.
    if (this.#isInUse(file.handle)) this.#closing.add(file);
    else this.#release(file);
  }

  /** Nobody hears an answer any more: all that is open is closed. */
  abandon(): void {
    for (const { cancel } of this.#underWay.values()) cancel();
    for (const { number } of this.files.open) this.closed(number);
  }

  #perform(call: TrappedCall): void {
    const decoded = decode({
      file: call.file.kind,
      number: call.request,
      arg: call.argument,
      memory: call.memory,
      fd: (fd) => call.fd(fd),
      giveFile: (made) => this.#giveFileAside(call, made),
      runPage: call.file.runPage,
      kernelAbi: this.#options.machine.kernelAbi,
    });
    if (decoded.kind === 'run') this.#run(call, decoded.request);
    else this.#ask(call, decoded.request);
  }

  #ask(call: TrappedCall, request: Request): void {
    const { machine, hears } = this.#options;
    const memory: UserMemory = call.memory;
    const digesting = hears === 'all' ? new DigestingMemory(memory) : undefined;
    const stop =
      hears === 'needed' && sayNothingWithoutCopies.has(request.request)
        ? this.#noteCopies()
        : undefined;
    const answer = machine.call(call.caller(digesting ?? memory), call.file.handle, request);
    const deliver = (given: Answer) => {
      stop?.();
      this.#deliver(call, { request, answer: given, content: digesting?.digest() });
    };
    if ('cancel' in answer) this.#awaitAnswer(call, answer, deliver);
    else deliver(answer);
  }

  /** It costs some microseconds a call, so it is done only where somebody hears the copies. */
  #noteCopies(): () => void {
    return this.#options.machine.listen((event) => {
      if (event.kind === 'ioctl') this.#copies.set(event.request, event.copies);
    });
  }

  #run(call: TrappedCall, request: RunRequest): void {
    const { machine, supervisor, guest } = this.#options;
    const { handle } = call.file;
    // While it waits for the vCPU's mutex, only the death of its thread ends it.
    const begun = () => supervisor.untilSignal(call.call, machine.signalMask(handle));
    const pending = machine.run(call.caller(call.memory), handle, request, { begun, guest });
    this.#awaitAnswer(call, pending, (answer) => this.#deliver(call, { request, answer }));
  }

  #awaitAnswer(
    call: TrappedCall,
    { answer, cancel }: PendingAnswer,
    deliver: (answer: Answer) => void,
  ): void {
    const { handle } = call.file;
    this.#underWay.set(call.call, { handle, cancel });
    this.#options.supervisor.keep(call.call);
    answer
      .then((given) => {
        this.#underWay.delete(call.call);
        deliver(given);
        this.#releaseUnused(handle);
      })
      .catch((error: unknown) => this.#threw(call, error));
  }

  /** What a handler throws, the supervisor catches; this call is kept, and its handler has returned. */
  #threw({ call }: TrappedCall, error: unknown): void {
    this.#underWay.delete(call);
    this.#options.supervisor.refuse(call, errnoNumbers.EIO);
    this.#options.threw(error);
  }

  #deliver(
    call: TrappedCall,
    { request, answer, content }: Pick<AnsweredCall, 'request' | 'answer' | 'content'>,
  ): void {
    const { listener, beforeAnswer } = this.#options;
    const { thread, file } = call;
    beforeAnswer?.();
    const copies = this.#copies.get(request) ?? {};
    const { given, delivered, file: made } = this.#give(call, answer);
    const outcome = { answer: given, delivered, made };
    listener.called({ thread, file, request, copies, content, ...outcome });
  }

  /** A new handle goes as an fd, or as the errno of a kernel that has no room for one. */
  #give(call: TrappedCall, answer: Answer): Given {
    const { supervisor } = this.#options;
    if (!answer.ok) {
      return { given: answer, delivered: supervisor.refuse(call.call, errnoNumbers[answer.errno]) };
    }
    const { made, value } = answer;
    // Of a file aside the number was written where the program looks for it.
    const isAside = made !== undefined && made.handle !== value;
    if (made !== undefined && !isAside) {
      // A program may read the statistics as soon as it has the fd.
      const content = this.#options.machine.statistics(made.handle);
      return this.#giveFile(call.call, answer, { ...newFile(made), ...(content && { content }) });
    }
    const delivered = supervisor.answer(call.call, value);
    const file = isAside ? this.files.find(made.handle) : undefined;
    return { given: answer, delivered, ...(file && { file }) };
  }

  #giveFile(call: CallNumber, answer: Answer & { ok: true }, shape: NewFile): Given {
    const { supervisor, machine } = this.#options;
    const installed = supervisor.install(call, shape);
    if ('file' in installed && answer.made !== undefined) {
      const file = this.#addFile(installed, answer.made);
      return { given: answer, delivered: true, file };
    }
    machine.undo(answer);
    return this.#giveNoFile(call, installed as NotInstalled);
  }

  /** An fd that is not the call's result: undefined where there is no room for it. */
  #giveFileAside({ call }: TrappedCall, made: MadeFile): number | undefined {
    const installed = this.#options.supervisor.install(call, { ...newFile(made), aside: true });
    if ('file' in installed) {
      this.#addFile(installed, made);
      return installed.fd;
    }
    this.#options.machine.release(made.handle);
    if (installed.whose === 'supervisor') this.#options.outOfFiles(installed.code);
    return undefined;
  }

  #addFile({ file: number, memory }: InstalledFile, { kind, handle }: MadeFile): ProgramFile {
    if (kind === 'stats' && memory !== undefined) {
      this.#options.machine.shareStatistics(handle, memory);
    }
    const runPage = kind === 'vcpu' ? memory : undefined;
    return this.files.add({ number, kind, handle, runPage });
  }

  /** Where it is this process that has no file to give, nothing of what follows would be true. */
  #giveNoFile(call: CallNumber, { code, whose }: NotInstalled): Given {
    if (whose === 'supervisor') this.#options.outOfFiles(code);
    const errno = whose === 'supervisor' ? 'ENFILE' : 'EMFILE';
    const delivered = this.#options.supervisor.refuse(call, errnoNumbers[errno]);
    return { given: { ok: false, errno, hwError: undefined, check: undefined }, delivered };
  }

  #releaseUnused(handle: Handle): void {
    if (this.#isInUse(handle)) return;
    for (const file of this.#closing) {
      if (file.handle !== handle) continue;
      this.#closing.delete(file);
      this.#release(file);
    }
  }

  #isInUse(handle: Handle): boolean {
    for (const call of this.#underWay.values()) if (call.handle === handle) return true;
    return false;
  }

  #release(file: ProgramFile): void {
    this.#options.machine.release(file.handle);
    this.#options.listener.closed(file);
  }
}

interface Given {
  readonly given: Answer;
  readonly delivered: boolean;
  /** What the program got an fd of. */
  readonly file?: ProgramFile;
}

const sayNothingWithoutCopies: ReadonlySet<string> = new Set([
  'KVM_ENABLE_CAP',
  'KVM_TDX_INIT_VM',
  'KVM_TDX_INIT_MEM_REGION',
]);
