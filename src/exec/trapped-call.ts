/** One trapped ioctl as the simulated kernel sees its caller. */
import { readFileSync } from 'node:fs';
import type { CallNumber, Supervisor } from '../../native/index.ts';
import { ioctlNumbers } from '../abi/kvm/requests.ts';
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

/** struct kvm_tdx_cmd. */
const tdxCommandBytes = 24;

export class TrappedCall {
  readonly call: CallNumber;
  readonly thread: CallingThread;
  readonly file: ProgramFile;
  readonly request: number;
  readonly argument: bigint;
  readonly memory: ClientMemory;
  readonly #supervisor: Supervisor;
  readonly #files: ProgramFiles;
  readonly #unwritten: { readonly address: bigint; readonly bytes: Uint8Array }[] = [];

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
      read: (address, length) => this.#read(address, length),
      write: (address, bytes) => this.#write(address, bytes),
    };
  }

  get isWaiting(): boolean {
    return this.#supervisor.isWaiting(this.call);
  }

  /** Does what was left unwritten of a call that this one repeats. */
  writeFor(before: TrappedCall): void {
    for (const { address, bytes } of before.#unwritten) this.memory.write(address, bytes);
  }

  /** A caller whom a signal took away meanwhile still has the memory that his call is about. */
  #read(address: bigint, length: number): Uint8Array | undefined {
    const into = new Uint8Array(length);
    if (this.#supervisor.readMemory(this.call, address, into)) return into;
    if (this.isWaiting) return undefined;
    return this.#supervisor.peekMemory(this.thread.tid, address, into) ? into : undefined;
  }

  /** He may use it for something else, though, until he repeats the call. */
  #write(address: bigint, bytes: Uint8Array): boolean {
    if (this.#supervisor.writeMemory(this.call, address, bytes)) return true;
    if (this.isWaiting) return false;
    this.#unwritten.push({ address, bytes: bytes.slice() });
    return true;
  }

  /**
   * The struct that the argument points to, whether anybody waits or not; undefined where it is
   * none, or cannot be read.
   */
  peekStruct(): Uint8Array | undefined {
    const sizeBytes = structBytes(this.request);
    if (sizeBytes === 0) return undefined;
    const into = new Uint8Array(sizeBytes);
    return this.#supervisor.peekMemory(this.thread.tid, this.argument, into) ? into : undefined;
  }

  fd(number: number): FdTarget {
    const found = this.#supervisor.findFile(this.thread.tid, number);
    if (found === undefined) return undefined;
    const file = this.#files.get(found);
    if (file !== undefined) return { kind: 'ours', handle: file.handle };
    const id = eventfdId(this.thread.tid, number);
    return id === undefined ? { kind: 'other' } : { kind: 'eventfd', id };
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

/** What tells one eventfd from another; undefined: it is none. */
function eventfdId(tid: number, fd: number): number | undefined {
  try {
    const id = /^eventfd-id:\s*(\d+)$/m.exec(readFileSync(`/proc/${tid}/fdinfo/${fd}`, 'utf8'));
    return id?.[1] === undefined ? undefined : Number(id[1]);
  } catch {
    // The thread is gone, and nobody waits for the answer.
    return undefined;
  }
}

/** The request's number says it, but for the one whose number says `unsigned long`. */
function structBytes(request: number): number {
  return request === ioctlNumbers.KVM_MEMORY_ENCRYPT_OP
    ? tdxCommandBytes
    : (request >>> 16) & 0x3fff;
}
