/** One trapped ioctl as the simulated kernel sees its caller. */
import type { CallNumber, Supervisor } from '../../native/index.ts';
import type { Caller, UserMemory } from '../simulator/index.ts';
import type { ClientMemory, FdTarget } from './codec/index.ts';
import type { ProgramFile, ProgramFiles } from './program-files.ts';

/** The calling thread. */
export interface CallingThread {
  readonly tid: number;
  readonly pid: number;
  /** Threads of one address space have one number. */
  readonly addressSpace: number;
}

export interface LateWrite {
  readonly address: bigint;
  readonly bytes: Uint8Array;
}

export class TrappedCall {
  readonly call: CallNumber;
  readonly thread: CallingThread;
  readonly file: ProgramFile;
  readonly request: number;
  readonly argument: bigint;
  readonly memory: ClientMemory;
  readonly #supervisor: Supervisor;
  readonly #files: ProgramFiles;
  readonly #lateWrites: LateWrite[] = [];
  #wasCutOff = false;

  constructor(
    { supervisor, files }: { readonly supervisor: Supervisor; readonly files: ProgramFiles },
    call: Pick<TrappedCall, 'call' | 'thread' | 'file' | 'request' | 'argument'>,
  ) {
    this.#supervisor = supervisor;
    this.#files = files;
    this.call = call.call;
    this.thread = call.thread;
    this.file = call.file;
    this.request = call.request;
    this.argument = call.argument;
    this.memory = {
      read: (address, length) => {
        const into = new Uint8Array(length);
        if (supervisor.readMemory(this.call, address, into)) return into;
        if (!this.isWaiting) this.#wasCutOff = true;
        return undefined;
      },
      write: (address, bytes) => {
        if (supervisor.writeMemory(this.call, address, bytes)) return true;
        if (this.isWaiting) return false;
        // The thread may have left the function whose memory this was: it gets it when it asks again.
        this.#lateWrites.push({ address, bytes: bytes.slice() });
        return true;
      },
    };
  }

  /** A signal came while the call was carried out, and what it still had to read could not be read. */
  get wasCutOff(): boolean {
    return this.#wasCutOff;
  }

  /** What could not be written any more, in order. */
  get lateWrites(): readonly LateWrite[] {
    return this.#lateWrites;
  }

  get isWaiting(): boolean {
    return this.#supervisor.isWaiting(this.call);
  }

  /**
   * What the request's number says its argument points to, whether anybody waits or not; undefined
   * where it is no struct, or cannot be read.
   */
  peekStruct(): Uint8Array | undefined {
    const sizeBytes = (this.request >>> 16) & 0x3fff;
    if (sizeBytes === 0) return undefined;
    const into = new Uint8Array(sizeBytes);
    return this.#supervisor.peekMemory(this.thread.tid, this.argument, into) ? into : undefined;
  }

  fd(number: number): FdTarget {
    const found = this.#supervisor.findFile(this.call, number);
    if (found === undefined) return undefined;
    const file = this.#files.get(found);
    return file === undefined ? { kind: 'other' } : { kind: 'ours', handle: file.handle };
  }

  /** @param memory what the kernel reads besides the structs of the request. */
  caller(memory: UserMemory): Caller {
    return {
      mm: this.thread.addressSpace,
      // Cgroups of this machine have no limits on the simulated host's key slots.
      cgroup: '/',
      memory,
      // seccomp wakes a waiting thread for any signal, and forgets its call.
      pendingSignal: () => (this.isWaiting ? 'none' : 'ordinary'),
    };
  }
}
