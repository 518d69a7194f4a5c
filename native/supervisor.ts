/**
 * What native/supervisor/ exports: a command whose KVM calls are answered by this process, by seccomp
 * user notification (Linux 5.19 and later, x86-64). A thread of its own hears the calls; what needs
 * thought comes to the handlers, in the order it happened, and is answered by the methods.
 */

/** A call that waits for its answer. */
export type CallNumber = number;
/** A file that this process made for a program: what one of its fds refers to. */
export type FileNumber = number;

export interface SupervisorHandlers {
  /** open("/dev/kvm") in whatever form. Answer with `install` or `refuse`. */
  opened(
    call: CallNumber,
    thread: number,
    process: number,
    addressSpace: number,
    closeOnExec: boolean,
  ): void;
  /** A KVM ioctl on a file of ours. All other calls go to the kernel untouched. */
  ioctl(
    call: CallNumber,
    thread: number,
    process: number,
    addressSpace: number,
    file: FileNumber,
    request: number,
    argument: bigint,
  ): void;
  /** A signal came that ends the call (`untilSignal`), or its caller is gone. */
  interrupted(call: CallNumber): void;
  /** The last fd and the last mapping of a file are gone, in every process. */
  closed(file: FileNumber): void;
  /**
   * A thread this process cannot look into; its call was refused with EPERM. `code`: EPERM, it has no
   * ptrace rights over it; EMFILE or ENFILE, no fd left.
   */
  outOfReach(thread: number, code: string): void;
  /** The command ended; programs that it started may go on. `status`: exit code or signal number. */
  exited(how: 'code' | 'signal', status: number): void;
  /** Every program is gone. The last event. */
  ended(): void;
}

export interface SupervisedCommand {
  /** The program, looked for in PATH, and its arguments. */
  readonly command: readonly string[];
  /** ioctls on /dev/kvm whose answer never changes: given by the thread, without a handler. */
  readonly systemAnswers: readonly {
    readonly request: number;
    readonly argument: number;
    readonly value: number;
  }[];
}

/** Where a launch failed, and with which errno. */
export interface LaunchFailure {
  /**
   * `busy`: this process supervises a command already. `filter`: seccomp refused it. `install`: this
   * Linux cannot answer with an fd. `memory`: no ptrace rights over a child of one's own. `files`: no
   * inotify instance left. `exec`: the command itself.
   */
  readonly stage:
    | 'busy'
    | 'fork'
    | 'no_new_privs'
    | 'filter'
    | 'install'
    | 'memory'
    | 'files'
    | 'exec';
  readonly errno: number;
  readonly code: string;
}

export interface Supervisor {
  /** Process id of the command. */
  readonly pid: number;

  // The three ways to answer a call, each false or ENOENT where its caller no longer waits.
  answer(call: CallNumber, value: number): boolean;
  refuse(call: CallNumber, errno: number): boolean;
  /**
   * Gives the caller an fd of a new file, whose number the call returns; both or neither. After an
   * error other than ENOENT the caller still waits.
   */
  install(call: CallNumber, file: NewFile): InstalledFile | NotInstalled;

  isWaiting(call: CallNumber): boolean;
  /**
   * A signal ends the call from now on, as it ends KVM_RUN: `interrupted` tells of it, and the call
   * still waits for its answer. `blocked`: signals that do not, in place of those that the thread
   * blocks; bit n - 1 is signal n.
   */
  untilSignal(call: CallNumber, blocked?: bigint): void;
  /** Whether a signal waits for a thread to leave the kernel. */
  hasSignal(thread: number): boolean;
  /** The caller's memory. False: EFAULT, or nobody waits. */
  readMemory(call: CallNumber, address: bigint, into: Uint8Array): boolean;
  writeMemory(call: CallNumber, address: bigint, bytes: Uint8Array): boolean;
  /** What an fd number of a thread refers to; 0: a file that is not ours, undefined: not open. */
  findFile(thread: number, fd: number): FileNumber | undefined;

  /** A signal to the command. False: it has ended. */
  signal(number: number): boolean;
  /** Ends the thread. Programs that still run get ENOSYS from trapped calls. */
  stop(): void;
}

export interface NewFile {
  /** What /proc shows of it. */
  readonly name: string;
  readonly sizeBytes: bigint;
  /** Shares its content with this process. */
  readonly mapped: boolean;
  readonly closeOnExec: boolean;
  /** It is of /dev/kvm: `systemAnswers` apply to it. */
  readonly system: boolean;
}

export interface NotInstalled {
  readonly errno: number;
  readonly code: string;
  /** Of the caller: EMFILE, or ENOENT where it is gone. Of this process: it could not make the file. */
  readonly whose: 'caller' | 'supervisor';
}

export interface InstalledFile {
  /** The fd's number in the caller. */
  readonly fd: number;
  readonly file: FileNumber;
  /** The content, where `mapped` was asked for; good for as long as it is referred to. */
  readonly memory?: Uint8Array;
}

export interface SupervisorClass {
  /**
   * Starts a command under supervision. It dies with the thread that calls this. One at a time, and in
   * a process without other children: once the command has ended, every child is taken for one that it
   * left behind, and reaped.
   */
  launch(
    command: SupervisedCommand,
    handlers: SupervisorHandlers,
  ): { readonly launched: Supervisor } | { readonly failed: LaunchFailure };
}
