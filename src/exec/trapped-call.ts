/** One trapped ioctl as the simulated kernel sees its caller. */
import { readFileSync, readlinkSync } from 'node:fs';
import type { CallNumber, Supervisor } from '../../native/index.ts';
import type { Caller, UserMemory } from '../simulator/index.ts';
import type { ClientMemory, FdTarget } from './codec/index.ts';
import type { ProgramFile, ProgramFiles } from './program-files.ts';

export interface CallingThread {
  readonly tid: number;
  readonly pid: number;
  /** Threads of one address space have one number. */
  readonly addressSpace: number;
}

export interface TrappedBy {
  readonly supervisor: Supervisor;
  readonly files: ProgramFiles;
  /** The misc cgroup of the command. */
  readonly cgroup: string;
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
  readonly #cgroup: string;
  /** No signal is looked for before this time, because most calls take no time. */
  #lookAgainAt = performance.now() + lookForSignalsEveryMs;

  constructor(
    { supervisor, files, cgroup }: TrappedBy,
    call: Pick<TrappedCall, 'call' | 'thread' | 'file' | 'request' | 'argument'>,
  ) {
    this.#supervisor = supervisor;
    this.#files = files;
    this.#cgroup = cgroup;
    this.call = call.call;
    this.thread = call.thread;
    this.file = call.file;
    this.request = call.request;
    this.argument = call.argument;
    this.memory = {
      read: (address, length) => {
        const into = new Uint8Array(length);
        return supervisor.readMemory(this.call, address, into) ? into : undefined;
      },
      write: (address, bytes) => supervisor.writeMemory(this.call, address, bytes),
    };
  }

  get isWaiting(): boolean {
    return this.#supervisor.isWaiting(this.call);
  }

  /**
   * Another thread may close the fd meanwhile, and open something else by its number. The first look tells
   * whether it is open, and an eventfd; the second concerns files of ours only. So whatever is said held
   * at one of the two moments.
   */
  fd(number: number): FdTarget {
    const shown = fdinfo(this.thread.tid, number);
    const id = shown && /^eventfd-id:\s*(\d+)$/m.exec(shown)?.[1];
    if (shown === undefined) return undefined;
    if (id !== undefined) return { kind: 'eventfd', id: Number(id) };
    const found = this.#supervisor.findFile(this.thread.tid, number);
    if (found === undefined) return undefined;
    const file = this.#files.get(found);
    return file === undefined ? { kind: 'other' } : { kind: 'ours', handle: file.handle };
  }

  /** @param memory what the kernel reads besides the structs of the request. */
  caller(memory: UserMemory): Caller {
    return {
      mm: this.thread.addressSpace,
      tid: this.thread.tid,
      cgroup: this.#cgroup,
      memory,
      pendingSignal: () => this.#pendingSignal(),
      mayReboot: () => mayReboot(this.thread.tid),
      hasDescriptor: () => this.#supervisor.hasDescriptor(this.thread.tid),
    };
  }

  /**
   * The machine asks before each page that goes into a TD. Looking takes as long as the page does, so it
   * is done now and then only.
   */
  #pendingSignal(): 'none' | 'ordinary' | 'fatal' {
    if (performance.now() < this.#lookAgainAt) return 'none';
    if (!this.isWaiting) return 'fatal';
    if (this.#supervisor.hasSignal(this.thread.tid)) return 'ordinary';
    this.#lookAgainAt = performance.now() + lookForSignalsEveryMs;
    return 'none';
  }
}

const lookForSignalsEveryMs = 1;

const CAP_SYS_BOOT = 22n;

/** A thread in a user namespace of its own has its capabilities there only, whatever they are. */
function mayReboot(tid: number): boolean {
  try {
    const status = readFileSync(`/proc/${tid}/status`, 'utf8');
    const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
    const isFirst = readlinkSync(`/proc/${tid}/ns/user`) === firstUserNamespace;
    return isFirst && (effective & (1n << CAP_SYS_BOOT)) !== 0n;
  } catch {
    // The thread is gone, and nobody waits for the answer.
    return false;
  }
}

/** PROC_USER_INIT_INO: the inode of the first namespace is the same on every machine. */
const firstUserNamespace = 'user:[4026531837]';

/** What tells one eventfd from another stands here. @returns undefined where the fd is not open. */
function fdinfo(tid: number, fd: number): string | undefined {
  try {
    return readFileSync(`/proc/${tid}/fdinfo/${fd}`, 'utf8');
  } catch {
    return undefined;
  }
}
