/** This module reads what strace shows of the arguments of a KVM ioctl. */
import { ioctlNumbers } from '../../../abi/kvm/requests.ts';
import type { TraceArgs, TraceValue } from '../../record.ts';

export interface StraceIoctl {
  readonly fd: number;
  /** The file as -y shows it: `/dev/kvm`, `anon_inode:kvm-vm`. */
  readonly path: string | undefined;
  /** Name such as `KVM_RUN`, or the number in hexadecimal. */
  readonly request: string;
  /** The third argument as it is printed. */
  readonly arg: string;
}

const ioctlForm = /^(\d+)(?:<(.*?)>)?, (_IOC\([^)]*\)|[^,]+)(?:, (.*))?$/;

/** Returns undefined for an ioctl that is not KVM's. */
export function parseIoctl(args: string): StraceIoctl | undefined {
  const [, fd, path, requestText = '', arg = ''] = ioctlForm.exec(args) ?? [];
  const request = requestNamed(requestText);
  return fd === undefined || request === undefined
    ? undefined
    : { fd: Number(fd), path, request, arg };
}

const namesByNumber: ReadonlyMap<number, string> = new Map(
  Object.entries(ioctlNumbers).map(([name, number]) => [number, name]),
);
const directions: Readonly<Record<string, number>> = { _IOC_NONE: 0, _IOC_WRITE: 1, _IOC_READ: 2 };
const KVMIO = 0xae;

/**
 * strace prints a request by name, by number, or taken apart as it does with numbers that it does not
 * know.
 */
function requestNamed(text: string): string | undefined {
  // Where two ioctls have one number, strace prints both names.
  const name = /\bKVM_[A-Z0-9_]+/.exec(text)?.[0];
  if (name !== undefined) return name;
  const parts = /^_IOC\(([A-Z_|0-9]+), (0x[0-9a-f]+), (0x[0-9a-f]+|0), (0x[0-9a-f]+|0)\)/.exec(
    text,
  );
  const number = parts === null ? Number(/^0x[0-9a-f]+/.exec(text)?.[0]) : encoded(parts);
  if (((number >> 8) & 0xff) !== KVMIO) return undefined;
  return namesByNumber.get(number) ?? `0x${number.toString(16)}`;
}

function encoded([, direction = '', type, nr, size]: readonly (string | undefined)[]): number {
  const bits = direction.split('|').reduce((sum, word) => sum | (directions[word] ?? 0), 0);
  return bits * 2 ** 30 + Number(size) * 2 ** 16 + Number(type) * 2 ** 8 + Number(nr);
}

/** Each request that takes its argument by value has the field that it becomes. */
const byValue: Readonly<Record<string, string>> = {
  KVM_CREATE_VM: 'type',
  KVM_CHECK_EXTENSION: 'cap',
  KVM_CREATE_VCPU: 'id',
  KVM_SET_BOOT_CPU_ID: 'id',
  KVM_SET_TSC_KHZ: 'tsc_khz',
};
/** These requests have no argument, or none that matters. */
const withoutArgs: ReadonlySet<string> = new Set([
  'KVM_GET_API_VERSION',
  'KVM_GET_VCPU_MMAP_SIZE',
  'KVM_CREATE_IRQCHIP',
  'KVM_RUN',
]);
/** strace prints every field of these that the kernel looks at. */
const structsInFull: ReadonlySet<string> = new Set(['KVM_SET_USER_MEMORY_REGION']);

/** Returns undefined when the trace does not show the arguments. */
export function straceArgs({ request, arg }: StraceIoctl): TraceArgs | undefined {
  if (withoutArgs.has(request)) return {};
  const field = byValue[request];
  if (field !== undefined) {
    const value = shownValue(arg.split(' ', 1)[0] ?? '');
    return value === undefined ? undefined : { [field]: value };
  }
  return structsInFull.has(request) ? structOf(arg) : undefined;
}

function structOf(text: string): TraceArgs | undefined {
  const fields = [...text.matchAll(/(\w+)=([\w|]+)/g)].map(([, name, value]) => [
    name,
    shownValue(value ?? ''),
  ]);
  if (fields.length === 0 || fields.some(([, value]) => value === undefined)) return undefined;
  const { userspace_addr, ...args } = Object.fromEntries(fields) as Record<string, TraceValue>;
  return args;
}

const memoryFlags: Readonly<Record<string, number>> = {
  KVM_MEM_LOG_DIRTY_PAGES: 1,
  KVM_MEM_READONLY: 2,
  KVM_MEM_GUEST_MEMFD: 4,
};

function shownValue(text: string): TraceValue | undefined {
  if (/^\d+$/.test(text)) return Number(text);
  if (/^0x[0-9a-f]+$/.test(text)) return text;
  if (/^KVM_(CAP|X86)_[A-Z0-9_]+$/.test(text)) return text;
  const flags = text.split('|').map((flag) => memoryFlags[flag]);
  return flags.every((flag) => flag !== undefined)
    ? flags.reduce((sum, flag) => sum | flag, 0)
    : undefined;
}
