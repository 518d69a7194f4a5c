/**
 * The table maps the descriptors of a traced program to files of KVM. Threads and processes share one
 * table.
 */
import type { ObjectKind } from '../../names.ts';

/** -y prints these paths. The kernel's names of its anonymous inodes have changed over time. */
const kindsByPath: readonly (readonly [RegExp, ObjectKind])[] = [
  [/^\/dev\/kvm$/, 'sys'],
  [/^anon_inode:\[?kvm-vm\b/, 'vm'],
  [/^anon_inode:\[?kvm-vcpu-stats\b/, 'stats'],
  [/^anon_inode:\[?kvm-vcpu\b/, 'vcpu'],
  [/^anon_inode:\[?(kvm-gmem|guest_memfd)\b/, 'gmem'],
];

/**
 * These requests show which kind of file they were asked of, where the trace does not show its making.
 */
const kindsByRequest: Readonly<Record<string, ObjectKind>> = {
  KVM_GET_API_VERSION: 'sys',
  KVM_CREATE_VM: 'sys',
  KVM_GET_VCPU_MMAP_SIZE: 'sys',
  KVM_GET_SUPPORTED_CPUID: 'sys',
  KVM_GET_MSR_INDEX_LIST: 'sys',
  KVM_CREATE_VCPU: 'vm',
  KVM_SET_USER_MEMORY_REGION: 'vm',
  KVM_SET_USER_MEMORY_REGION2: 'vm',
  KVM_SET_MEMORY_ATTRIBUTES: 'vm',
  KVM_SET_MEMORY_ATTRIBUTES2: 'gmem',
  KVM_CREATE_GUEST_MEMFD: 'vm',
  KVM_SET_GSI_ROUTING: 'vm',
  KVM_RUN: 'vcpu',
  KVM_SET_CPUID2: 'vcpu',
};

export class StraceFiles {
  readonly #objects = new Map<number, string>();
  /** How many descriptors a file has. */
  readonly #descriptors = new Map<string, number>();
  #made = 0;

  /** Registers a new file at this descriptor. */
  make(fd: number, kind: ObjectKind): string {
    const name = `${kind}#${this.#made}`;
    this.#made += 1;
    this.#set(fd, name);
    return name;
  }

  /** Gives the file of an ioctl. A file whose making the trace does not show is taken up here. */
  of(fd: number, { path, request }: { path: string | undefined; request: string }) {
    const known = this.#objects.get(fd);
    const kind =
      kindsByPath.find(([pattern]) => path !== undefined && pattern.test(path))?.[1] ??
      (known === undefined ? kindsByRequest[request] : undefined);
    if (kind === undefined) return known;
    return known?.startsWith(`${kind}#`) === true ? known : this.make(fd, kind);
  }

  duplicate(from: number, to: number): void {
    const name = this.#objects.get(from);
    if (name !== undefined) this.#set(to, name);
  }

  /** @returns The file, if that was its last descriptor. */
  close(fd: number): string | undefined {
    const name = this.#objects.get(fd);
    if (name === undefined) return undefined;
    this.#objects.delete(fd);
    const left = (this.#descriptors.get(name) ?? 0) - 1;
    if (left > 0) {
      this.#descriptors.set(name, left);
      return undefined;
    }
    this.#descriptors.delete(name);
    return name;
  }

  get open(): readonly string[] {
    return [...this.#descriptors.keys()];
  }

  #set(fd: number, name: string): void {
    this.close(fd);
    this.#objects.set(fd, name);
    this.#descriptors.set(name, (this.#descriptors.get(name) ?? 0) + 1);
  }
}
