/** A trace names the objects that a program made. */
import type { FileKind, Handle } from '../simulator/index.ts';

export type ObjectKind = 'sys' | 'vm' | 'vcpu' | 'gmem' | 'stats' | 'dev';

/** A trace calls an object of each kind so. */
export const kindsInNames: Readonly<Record<FileKind, ObjectKind>> = {
  system: 'sys',
  vm: 'vm',
  vcpu: 'vcpu',
  guest_memfd: 'gmem',
  stats: 'stats',
  device: 'dev',
};

/** These requests make a file, whose fd is their result. */
export const makers: Readonly<Record<string, ObjectKind>> = {
  KVM_CREATE_VM: 'vm',
  KVM_CREATE_VCPU: 'vcpu',
  KVM_CREATE_GUEST_MEMFD: 'gmem',
  KVM_LINK_GUEST_MEMFD: 'gmem',
  KVM_GET_STATS_FD: 'stats',
};

/** Numbers the file descriptions of one run in the order they are made. */
export class ObjectNames {
  readonly #names = new Map<Handle, string>();
  #made = 0;

  /** @returns A name such as `vm#1`. */
  add(kind: ObjectKind, handle: Handle): string {
    const name = `${kind}#${this.#made}`;
    this.#made += 1;
    this.#names.set(handle, name);
    return name;
  }

  nameOf(handle: Handle): string | undefined {
    return this.#names.get(handle);
  }

  /** Forgets the name of a file that is closed. No other file gets its number. */
  forget(handle: Handle): void {
    this.#names.delete(handle);
  }
}

/** Numbers processes and their threads in the order they first call. */
export class ThreadNames {
  readonly #processes = new Map<number, Map<number, string>>();

  /** @returns `T0` for the first thread, and `P2.T0` for a thread of another process than the first. */
  nameOf({ pid, tid }: { readonly pid: number; readonly tid: number }): string {
    const threads = this.#processes.get(pid) ?? new Map<number, string>();
    this.#processes.set(pid, threads);
    const known = threads.get(tid);
    if (known !== undefined) return known;
    const process = [...this.#processes.keys()].indexOf(pid) + 1;
    const name = `${process === 1 ? '' : `P${process}.`}T${threads.size}`;
    threads.set(tid, name);
    return name;
  }
}
