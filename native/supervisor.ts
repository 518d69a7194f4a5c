/**
 * What native/supervisor/ exports: this process answers the KVM calls of a command, by seccomp user
 * notification (Linux 5.19 and later, x86-64). A thread of its own hears the calls; those that need
 * thought come to the handlers in order, and the methods answer them.
 */

import type { PassedFd, Pidfd } from './process.ts';

/** A call that waits for its answer. */
export type CallNumber = number;
/** A file that this process made for a program: it is what one of the program's fds refers to. */
export type FileNumber = number;

export interface SupervisorHandlers {
  /**
   * A program opened /dev/kvm, by whatever call, and Linux would let it. The answer is `install` or
   * `refuse`. `flags` are those that fcntl(F_GETFL) of the fd is to give.
   */
  opened(
    call: CallNumber,
    thread: number,
    process: number,
    addressSpace: number,
    closeOnExec: boolean,
    flags: number,
  ): void;
  /** A program made a KVM ioctl on a file of ours. All other calls go to the kernel untouched. */
  ioctl(
    call: CallNumber,
    thread: number,
    process: number,
    addressSpace: number,
    file: FileNumber,
    request: number,
    argument: bigint,
  ): void;
  /** A program called fallocate() on a file of ours. */
  fallocate(
    call: CallNumber,
    thread: number,
    process: number,
    addressSpace: number,
    file: FileNumber,
    mode: number,
    offset: bigint,
    length: bigint,
  ): void;
  /** A signal came that ends the call (`untilSignal`), or its caller is gone. */
  interrupted(call: CallNumber): void;
  /** The last fd and the last mapping of a file are gone, in every process. */
  closed(file: FileNumber): void;
  /**
   * This process cannot look into that thread, and its call was refused with EPERM. `code` is EPERM
   * where this process has no ptrace rights over it, and EMFILE or ENFILE where no fd is left.
   */
  outOfReach(thread: number, code: string): void;
  /** A program asked KVM in a way that is not served, and its call was refused with `code`. */
  unserved(call: UnservedCall['call'], abi: UnservedCall['abi'], code: string): void;
  /** The command ended; programs that it started may go on. `status` is its code or signal. */
  exited(how: 'code' | 'signal', status: number): void;
  /** Somebody killed the guard (launch()), and every program is being killed. */
  guardLost(): void;
  /** Every program is gone. This is the last event. */
  ended(): void;
  /**
   * Another handler threw `error`, or returned without an answer to a call that it did not keep. The
   * call is refused with EIO after this. What this handler throws is thrown as an uncaught exception.
   */
  failed(error: unknown): void;
}

/**
 * `open`: of /dev/kvm, by an ABI that is not x86-64's. `ioctl`: the same, or of KVM's type on a file of the
 * KVM that this machine has itself.
 */
export interface UnservedCall {
  readonly call: 'open' | 'ioctl';
  readonly abi: 'x86-64' | 'x32' | 'i386';
}

export interface SupervisedCommand {
  /** The program, which is looked for in PATH, and its arguments. */
  readonly command: readonly string[];
  /** Fds that it gets besides its standard streams, by the numbers that they have here. */
  readonly fds?: readonly number[];
  /** The thread answers these ioctls on /dev/kvm, whose answer never changes, by itself. */
  readonly systemAnswers: readonly {
    readonly request: number;
    readonly argument: number;
    readonly value: number;
  }[];
}

/** The stage at which a launch failed, and the errno of it. */
export interface LaunchFailure {
  /**
   * `busy`: this process supervises a command already. `call`: a system call that is needed.
   * `filter`: seccomp refused the filter. `install`: this Linux cannot answer with an fd. `memory`:
   * we have no ptrace rights over our own child. `exec`: the command failed. Of a command that is adopted: `process`,
   * it has ended or is in a PID namespace that is not seen here; `foreign_memory`, we have no ptrace rights over it.
   */
  readonly stage:
    | 'busy'
    | 'call'
    | 'fork'
    | 'no_new_privs'
    | 'filter'
    | 'install'
    | 'memory'
    | 'exec'
    | 'process'
    | 'foreign_memory';
  /** The name of the system call, at the stage `call`. */
  readonly call?: string;
  readonly errno: number;
  readonly code: string;
}

export interface Supervisor {
  /** The process id of the command. */
  readonly pid: number;

  // These four answer a call. They give false or ENOENT where its caller no longer waits.
  answer(call: CallNumber, value: number): boolean;
  refuse(call: CallNumber, errno: number): boolean;
  /** The kernel carries the call out, on the file that stands for one of KVM's. */
  letThrough(call: CallNumber): boolean;
  /**
   * Gives the caller an fd of a new file, and returns the file's number; it does both or neither.
   * After an error other than ENOENT the caller still waits.
   */
  install(call: CallNumber, file: NewFile): InstalledFile | NotInstalled;
  /** The call is answered after its handler has returned, which is a defect of any other call. */
  keep(call: CallNumber): void;

  isWaiting(call: CallNumber): boolean;
  /**
   * From now on a signal ends the call, as it ends KVM_RUN: `interrupted` tells of it, and the call
   * still waits for its answer. `blocked` is the set of signals that do not end it, in place of
   * those that the thread blocks; bit n - 1 stands for signal n.
   */
  untilSignal(call: CallNumber, blocked?: bigint): void;
  /** Whether a signal waits for a thread to leave the kernel. */
  hasSignal(thread: number): boolean;
  /** These two copy the caller's memory. They give false for EFAULT, and where nobody waits. */
  readMemory(call: CallNumber, address: bigint, into: Uint8Array): boolean;
  writeMemory(call: CallNumber, address: bigint, bytes: Uint8Array): boolean;
  /** Whether the thread has a number for one more fd (RLIMIT_NOFILE). */
  hasDescriptor(thread: number): boolean;
  /** The file behind an fd of a thread; 0 where it is not ours, undefined where none is open. */
  findFile(thread: number, fd: number): FileNumber | undefined;

  /** Whether `systemAnswers` are given by the thread itself, as they are at first, or every call is told. */
  answerByItself(does: boolean): void;

  /** Sends a signal to the command, and gives false where the command has ended. */
  signal(number: number): boolean;
  /** Kills the command and all that it started, unless it is adopted; the events go on until `ended`. */
  endAll(): void;
  /** Does the same, waits for it, and ends the thread: nothing is told any more. */
  stop(): void;
}

export interface NewFile {
  /** The name that /proc shows. */
  readonly name: string;
  readonly sizeBytes: bigint;
  /** The file shares its content with this process. */
  readonly mapped: boolean;
  /** What it begins with, where it is `mapped`. */
  readonly content?: Uint8Array;
  /** Whether the program may map it: `shared` by MAP_SHARED alone, as a guest_memfd. */
  readonly mappable: 'any' | 'shared' | 'no';
  /** The fd is not the result of the call, which still waits for its answer. */
  readonly aside?: boolean;
  readonly closeOnExec: boolean;
  /** The access mode and the status flags, as fcntl(F_GETFL) gives them. */
  readonly flags: number;
  /** The file stands for /dev/kvm, so `systemAnswers` apply to it. */
  readonly system: boolean;
}

export interface NotInstalled {
  readonly errno: number;
  readonly code: string;
  /** The caller has no fd left (EMFILE) or is gone (ENOENT); else we could not make the file. */
  readonly whose: 'caller' | 'supervisor';
}

export interface InstalledFile {
  /** The number of the fd in the caller. */
  readonly fd: number;
  readonly file: FileNumber;
  /** The content, where `mapped` was asked for; it is good for as long as it is referred to. */
  readonly memory?: Uint8Array;
}

/**
 * A command whose calls another process answers: its `adopt()`. This process is its parent in all else, and there is a
 * guard, as of one that is launched.
 */
export interface HeldCommand {
  readonly pid: number;
  /** What that other process needs, for one time. This process must close them, or the command outlives the other's end. */
  pass(): readonly PassedFd[];
  /** The command itself, whose end comes a moment before `hear` tells it. */
  command(): Pidfd;
  /** The guard, which ends once nothing that the command started is left. */
  guard(): Pidfd;
  /** Has it become the program. Blocks until it has; the other process must be answering. */
  letGo(): LaunchFailure | undefined;
  /** How the command ended; told once, when it has. */
  hear(): { readonly how: 'code' | 'signal'; readonly status: number } | undefined;
  /** What has become of the guard: `done` is its own end, `lost` that somebody killed it. One that was stopped goes on. */
  look(): 'watching' | 'done' | 'lost';
  /** Of a guard that is lost: kills what it guarded. False: nothing is left. */
  endOrphans(): boolean;
  /** False where the command has ended. */
  signal(number: number): boolean;
  /** Kills the command and all that it started. */
  endAll(): void;
  /** Does the same and waits for it; then this process is as it was before, and its terminal too. */
  finish(): void;
}

export interface HeldCommandRequest {
  readonly command: readonly string[];
  /** The process that will answer its calls. */
  readonly answeredBy: number;
  readonly fds: readonly number[];
  /** Made in a mount namespace of its own, as far as this process may. */
  readonly mounts: readonly Mount[];
}

export interface Mount {
  /**
   * `bind`: `source` at `target`. `overlay`: an overlay there, with `source` as its options. `keep`: what is there
   * before, whatever covers it; `source` is of no meaning.
   */
  readonly kind: 'bind' | 'overlay' | 'keep';
  readonly source: string;
  readonly target: string;
}

export interface AdoptedCommand {
  /** As {@link HeldCommand.pass} gave them, in that order. */
  readonly fds: readonly PassedFd[];
  readonly systemAnswers: SupervisedCommand['systemAnswers'];
}

export interface SupervisorClass {
  /**
   * Starts a command under supervision, with a guard between it and this process: when this process
   * or this environment ends, whatever the command started is killed. There can be one at a time, and
   * only in a process without other children: should the guard be killed, every child is taken for
   * one of the command's, and is killed.
   */
  launch(command: SupervisedCommand, handlers: SupervisorHandlers): Launched;
  /** Does the same, and leaves its calls to another process; it waits for {@link HeldCommand.letGo}. */
  hold(
    command: HeldCommandRequest,
  ): { readonly held: HeldCommand } | { readonly failed: LaunchFailure };
  /**
   * Answers the calls of a command that another process holds, of as many as come. `exited` and `guardLost` are not
   * told: that other process hears of them. `ended` is, once its guard has ended.
   */
  adopt(command: AdoptedCommand, handlers: SupervisorHandlers): Launched;
}

export type Launched = { readonly launched: Supervisor } | { readonly failed: LaunchFailure };
