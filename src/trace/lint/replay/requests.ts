/**
 * Turns a traced call that concerns the state of a TD into a request to the simulated kernel. The
 * structs give what the trace shows; a copy that the trace does not show is noted as lacking.
 */
import { capabilities } from '../../../abi/kvm/capabilities.ts';
import { tdxCommands } from '../../../abi/kvm/requests.ts';
import { KVM_MEM_GUEST_MEMFD, PAGE_SIZE } from '../../../abi/kvm/structs.ts';
import { vmTypes } from '../../../abi/kvm/vm-types.ts';
import type {
  Handle,
  InitVmStruct,
  Request,
  TdxCommandStruct,
  UserCpuid,
  UserStruct,
} from '../../../simulator/index.ts';
import type { CallRecord } from '../../record.ts';
import { CallArgs } from './call-args.ts';

export interface ReplayContext {
  handleOf(object: string): Handle | undefined;
  /** Called when the kernel asks for something that the trace does not show. */
  lacks(): void;
}

type Builder = (args: CallArgs, context: ReplayContext) => Request | undefined;

/** Returns undefined for a call that does not concern the state of a TD, or that lacks an argument. */
export function requestOf(record: CallRecord, context: ReplayContext): Request | undefined {
  return builders[record.request]?.(new CallArgs(record.args), context);
}

export function isReplayed(request: string): boolean {
  return request in builders;
}

/** Every caller has a page here. */
const anyAddress = 0x7f00_0000_0000n;

const builders: Readonly<Record<string, Builder>> = {
  KVM_CREATE_VM: (args) => withNumber(args.named('type', vmTypes), 'KVM_CREATE_VM', 'type'),
  KVM_CREATE_VCPU: (args) => withNumber(args.number('id'), 'KVM_CREATE_VCPU', 'id'),
  KVM_SET_BOOT_CPU_ID: (args) => withNumber(args.number('id'), 'KVM_SET_BOOT_CPU_ID', 'id'),
  KVM_SET_TSC_KHZ: (args) => withNumber(args.number('tsc_khz'), 'KVM_SET_TSC_KHZ', 'tscKhz'),
  KVM_CREATE_IRQCHIP: () => ({ request: 'KVM_CREATE_IRQCHIP' }),
  KVM_ENABLE_CAP: (args, context) => ({ request: 'KVM_ENABLE_CAP', cap: enableCap(args, context) }),
  KVM_SET_USER_MEMORY_REGION: (args, context) => memoryRegion(args, context, ''),
  KVM_SET_USER_MEMORY_REGION2: (args, context) => memoryRegion(args, context, '2'),
  KVM_CREATE_GUEST_MEMFD: (args, context) => ({
    request: 'KVM_CREATE_GUEST_MEMFD',
    create: struct('create', args, context, () =>
      complete({ size: args.big('size'), flags: args.big('flags') }),
    ),
  }),
  KVM_LINK_GUEST_MEMFD: (args, context) => ({
    request: 'KVM_LINK_GUEST_MEMFD',
    link: struct('link', args, context, () => {
      const flags = args.big('flags');
      const guestMemfd = context.handleOf(args.text('guest_memfd') ?? '');
      return flags === undefined ? undefined : { flags, guestMemfd };
    }),
  }),
  KVM_SET_MEMORY_ATTRIBUTES: (args, context) => ({
    request: 'KVM_SET_MEMORY_ATTRIBUTES',
    attributes: struct('attributes', args, context, () =>
      complete({
        address: args.big('address'),
        size: args.big('size'),
        attributes: args.big('attributes'),
        flags: args.big('flags'),
      }),
    ),
  }),
  KVM_SET_MEMORY_ATTRIBUTES2: (args, context) => ({
    request: 'KVM_SET_MEMORY_ATTRIBUTES2',
    attributes: struct('attributes', args, context, () =>
      complete({
        offset: args.big('offset'),
        size: args.big('size'),
        attributes: args.big('attributes'),
        flags: args.big('flags'),
        errorOffset: 0n,
        reserved: args.bigs('reserved').map((word) => word ?? 0n),
      }),
    ),
  }),
  KVM_PRE_FAULT_MEMORY: (args, context) => ({
    request: 'KVM_PRE_FAULT_MEMORY',
    range: struct('range', args, context, () =>
      complete({ gpa: args.big('gpa'), size: args.big('size'), flags: args.big('flags') }),
    ),
  }),
  KVM_SET_CPUID2: (args, context) => ({
    request: 'KVM_SET_CPUID2',
    cpuid: userCpuid('cpuid', args, context),
  }),
  KVM_MEMORY_ENCRYPT_OP: (args, context) => {
    const id = args.number('id');
    return id === undefined && !args.has('faults')
      ? undefined
      : { request: 'KVM_MEMORY_ENCRYPT_OP', cmd: command(id ?? 0, args, context) };
  },
  KVM_TDX_CAPABILITIES: (args, context) => ({
    request: 'KVM_TDX_CAPABILITIES',
    cmd: command(tdxCommands.KVM_TDX_CAPABILITIES, args, context),
    data: {
      readNent: copied('data.readNent', args, context, () => args.number('nent')),
      write: written('data.write', args),
    },
  }),
  KVM_TDX_INIT_VM: (args, context) => ({
    request: 'KVM_TDX_INIT_VM',
    cmd: command(tdxCommands.KVM_TDX_INIT_VM, args, context),
    data: {
      readNent: copied('data.readNent', args, context, () => args.number('nent')),
      read: copied('data.read', args, context, () => initVmStruct(args)),
    },
  }),
  KVM_TDX_INIT_VCPU: tdxCommand('KVM_TDX_INIT_VCPU'),
  KVM_TDX_FINALIZE_VM: tdxCommand('KVM_TDX_FINALIZE_VM'),
  KVM_TDX_TERMINATE_VM: tdxCommand('KVM_TDX_TERMINATE_VM'),
  KVM_TDX_INIT_MEM_REGION: (args, context) => ({
    request: 'KVM_TDX_INIT_MEM_REGION',
    cmd: command(tdxCommands.KVM_TDX_INIT_MEM_REGION, args, context),
    data: struct('data', args, context, () =>
      complete({
        sourceAddr: pointer(args, 'source_addr'),
        gpa: args.big('gpa'),
        nrPages: args.big('nr_pages'),
      }),
    ),
  }),
  KVM_TDX_GET_CPUID: (args, context) => ({
    request: 'KVM_TDX_GET_CPUID',
    cmd: command(tdxCommands.KVM_TDX_GET_CPUID, args, context),
    data: userCpuid('data', args, context),
  }),
};

function tdxCommand(
  request: 'KVM_TDX_INIT_VCPU' | 'KVM_TDX_FINALIZE_VM' | 'KVM_TDX_TERMINATE_VM',
): Builder {
  return (args, context) => ({ request, cmd: command(tdxCommands[request], args, context) });
}

function withNumber(value: number | undefined, request: string, field: string) {
  return value === undefined ? undefined : ({ request, [field]: value } as unknown as Request);
}

/** Of the other commands, `data` is a pointer that the model does not look at. */
function command(id: number, args: CallArgs, context: ReplayContext): UserStruct<TdxCommandStruct> {
  return struct('cmd', args, context, () => ({
    id,
    flags: args.number('flags') ?? 0,
    data: args.big('data') ?? 0n,
    hwError: args.big('hw_error') ?? 0n,
  }));
}

/** The call has up to four arguments, of which the first may be a file. */
function enableCap(args: CallArgs, context: ReplayContext) {
  return struct('cap', args, context, () => {
    const cap = args.named('cap', capabilities);
    if (cap === undefined) return undefined;
    const values = args.texts('args').map((value, at) => {
      const handle = typeof value === 'string' ? context.handleOf(value) : undefined;
      return handle === undefined ? args.bigs('args')[at] : BigInt(handle);
    });
    return { cap, flags: args.number('flags') ?? 0, args: values.map((value) => value ?? 0n) };
  });
}

function memoryRegion(args: CallArgs, context: ReplayContext, version: '' | '2'): Request {
  const region = struct('region', args, context, () => {
    const flags = args.number('flags');
    const numbers = complete({
      slot: args.number('slot'),
      flags,
      guestPhysAddr: args.big('guest_phys_addr'),
      memorySize: args.big('memory_size'),
      userspaceAddr: pointer(args, 'userspace_addr'),
    });
    if (numbers === undefined) return undefined;
    const hasMemfd = ((flags ?? 0) & KVM_MEM_GUEST_MEMFD) !== 0;
    return {
      ...numbers,
      guestMemfdOffset: args.big('guest_memfd_offset') ?? 0n,
      guestMemfd: hasMemfd ? context.handleOf(args.text('guest_memfd') ?? '') : undefined,
    };
  });
  return { request: `KVM_SET_USER_MEMORY_REGION${version}`, region };
}

export function initVmStruct(args: CallArgs): InitVmStruct | undefined {
  const entries = args.cpuid();
  const numbers = complete({ attributes: args.big('attributes'), xfam: args.big('xfam') });
  if (entries === undefined || numbers === undefined) return undefined;
  return {
    ...numbers,
    maxVcpus: args.number('max_vcpus'),
    mrConfigId: args.bytes('mrconfigid', 48),
    mrOwner: args.bytes('mrowner', 48),
    mrOwnerConfig: args.bytes('mrownerconfig', 48),
    reserved: args.bigs('reserved').map((word) => word ?? 0n),
    cpuid: {
      nent: args.number('nent') ?? entries.length,
      padding: args.number('padding') ?? 0,
      entries,
    },
  };
}

function userCpuid(name: string, args: CallArgs, context: ReplayContext): UserCpuid {
  return {
    readHeader: copied(`${name}.readHeader`, args, context, () => {
      const nent = args.number('nent');
      return nent === undefined ? undefined : { nent, padding: args.number('padding') ?? 0 };
    }),
    readEntries: copied(`${name}.readEntries`, args, context, () => args.cpuid()),
    writeHeader: written(`${name}.writeHeader`, args),
    writeEntries: written(`${name}.writeEntries`, args),
  };
}

/** A trace has no addresses, but shows what is wrong with one. */
function pointer(args: CallArgs, name: string): bigint {
  if (args.text(name) === 'null') return 0n;
  return args.text(name) === 'unaligned' ? anyAddress + 1n : anyAddress + PAGE_SIZE;
}

function struct<T>(
  name: string,
  args: CallArgs,
  context: ReplayContext,
  build: () => T | undefined,
): UserStruct<T> {
  return {
    read: copied(`${name}.read`, args, context, build),
    write: written(`${name}.write`, args),
  };
}

function copied<T>(
  copy: string,
  args: CallArgs,
  context: ReplayContext,
  build: () => T | undefined,
): () => T | undefined {
  let time = 0;
  return () => {
    time += 1;
    if (args.faulted(copy, time)) return undefined;
    const value = build();
    if (value === undefined) context.lacks();
    return value;
  };
}

function written(copy: string, args: CallArgs): (value: unknown) => boolean {
  let time = 0;
  return () => {
    time += 1;
    return !args.faulted(copy, time);
  };
}

/** Returns undefined where any field is undefined. */
function complete<T extends Readonly<Record<string, unknown>>>(
  fields: T,
): { readonly [Name in keyof T]: Exclude<T[Name], undefined> } | undefined {
  const isComplete = Object.values(fields).every((value) => value !== undefined);
  return isComplete
    ? (fields as { readonly [Name in keyof T]: Exclude<T[Name], undefined> })
    : undefined;
}
