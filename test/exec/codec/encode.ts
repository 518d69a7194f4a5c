/**
 * The way back: a request of values as a client would make it, in its memory. Only for the requests
 * that test/simulator/steps.ts makes.
 */
import { capabilities } from '../../../src/abi/kvm/capabilities.ts';
import { ioctlNumbers, type TdxCommandName, tdxCommands } from '../../../src/abi/kvm/requests.ts';
import { encodeArray } from '../../../src/exec/codec/arrays.ts';
import type { Fields, Layout, ValuesOf } from '../../../src/exec/codec/layout.ts';
import { fixedSizeInitVm, structs } from '../../../src/exec/codec/structs.ts';
import {
  type CapabilitiesStruct,
  type CapabilitiesValue,
  type CpuidValue,
  type EnableCapStruct,
  type GuestMemfdFact,
  type InitVmStruct,
  InitVmValue,
  type KnownRequest,
  StructValue,
  type TdxCommandStruct,
  type UserStruct,
} from '../../../src/simulator/index.ts';
import type { Client } from './client.ts';

export interface Encoded {
  readonly number: number;
  readonly arg: bigint;
  /** The same request of values, with what its bytes cannot say left out. */
  readonly request: KnownRequest;
  /** By name: what is in the memory now, and what the values are. */
  written(): Readonly<Record<string, readonly [memory: unknown, values: unknown]>>;
}

const nothing = () => ({});

export function encode(client: Client, request: KnownRequest): Encoded {
  const number = ioctlNumbers[request.request as keyof typeof ioctlNumbers];
  const byValue = (arg: number | bigint): Encoded => ({
    number,
    arg: BigInt(arg),
    request,
    written: nothing,
  });
  switch (request.request) {
    case 'KVM_CREATE_VM':
      return byValue(request.type);
    case 'KVM_CHECK_EXTENSION':
      return byValue(request.capability);
    case 'KVM_CREATE_VCPU':
      return byValue(request.id);
    case 'KVM_SET_TSC_KHZ':
      return byValue(request.tscKhz);
    case 'KVM_ENABLE_CAP': {
      const cap = padded(plainOf(request.cap));
      const bytes = structs.kvm_enable_cap.encode({ ...cap, args: withFd(client, cap) });
      const arg = client.place(bytes);
      return { number, arg, request: { ...request, cap: new StructValue(cap) }, written: nothing };
    }
    case 'KVM_SET_USER_MEMORY_REGION2': {
      const region = plainOf(request.region);
      const guestMemfd = fdOf(client, region.guestMemfd);
      const bytes = structs.kvm_userspace_memory_region2.encode({ ...region, guestMemfd });
      return { number, arg: client.place(bytes), request, written: nothing };
    }
    case 'KVM_LINK_GUEST_MEMFD': {
      const { guestMemfd, flags } = plainOf(request.link);
      const fd = BigInt(fdOf(client, guestMemfd));
      const arg = client.place(structs.kvm_link_guest_memfd.encode({ fd, flags }));
      return { number, arg, request, written: nothing };
    }
    case 'KVM_CREATE_GUEST_MEMFD':
      return whole(client, request, request.create, structs.kvm_create_guest_memfd);
    case 'KVM_SET_MEMORY_ATTRIBUTES':
      return whole(client, request, request.attributes, structs.kvm_memory_attributes);
    case 'KVM_SET_MEMORY_ATTRIBUTES2':
      return whole(client, request, request.attributes, structs.kvm_memory_attributes2);
    case 'KVM_PRE_FAULT_MEMORY':
      return whole(client, request, request.range, structs.kvm_pre_fault_memory);
    case 'KVM_SET_CPUID2': {
      const { arg, written } = placeCpuid(client, request.cpuid as CpuidValue);
      return { number, arg, request, written };
    }
    case 'KVM_TDX_CAPABILITIES':
    case 'KVM_TDX_INIT_VM':
    case 'KVM_TDX_INIT_VCPU':
    case 'KVM_TDX_INIT_MEM_REGION':
    case 'KVM_TDX_FINALIZE_VM':
    case 'KVM_TDX_GET_CPUID':
    case 'KVM_TDX_TERMINATE_VM':
      return encodeCommand(client, request);
    default:
      throw new Error(`no way back for ${request.request}`);
  }
}

type CommandRequest = Extract<KnownRequest, { readonly request: TdxCommandName }>;

/** The command's pointer is in the values too, which look at it as little as the kernel does. */
function encodeCommand(client: Client, request: CommandRequest): Encoded {
  const data = encodeData(client, request);
  const pointer = data?.arg ?? plainOf(request.cmd).data;
  const cmd: StructValue<TdxCommandStruct> = new StructValue({
    ...plainOf(request.cmd),
    id: tdxCommands[request.request],
    data: pointer,
  });
  const arg = client.place(structs.kvm_tdx_cmd.encode(cmd.value));
  return {
    number: ioctlNumbers.KVM_MEMORY_ENCRYPT_OP,
    arg,
    request: { ...request, ...data?.fields, cmd } as KnownRequest,
    written: () => ({
      cmd: [peek(client, arg, structs.kvm_tdx_cmd), cmd.value],
      ...data?.written(),
    }),
  };
}

interface Data {
  readonly arg: bigint;
  /** In place of what the request has. */
  readonly fields?: object;
  readonly written: Encoded['written'];
}

function encodeData(client: Client, request: CommandRequest): Data | undefined {
  switch (request.request) {
    case 'KVM_TDX_INIT_VM':
      return placeInitVm(client, plainInitVm(request.data));
    case 'KVM_TDX_INIT_MEM_REGION':
      return whole(client, request, request.data, structs.kvm_tdx_init_mem_region);
    case 'KVM_TDX_GET_CPUID':
      return placeCpuid(client, request.data as CpuidValue);
    case 'KVM_TDX_CAPABILITIES':
      return placeCapabilities(client, request.data as CapabilitiesValue);
    default:
      return undefined;
  }
}

function whole<const F extends Fields>(
  client: Client,
  request: KnownRequest,
  struct: UserStruct<ValuesOf<F>>,
  layout: Layout<F>,
): Encoded {
  const arg = client.place(layout.encode(plainOf(struct)));
  return {
    number: ioctlNumbers[request.request as keyof typeof ioctlNumbers],
    arg,
    request,
    written: () => ({ struct: [peek(client, arg, layout), plainOf(struct)] }),
  };
}

function placeCpuid(client: Client, cpuid: CpuidValue): Data {
  const header = structs.kvm_cpuid2;
  const room = cpuid.nent * structs.kvm_cpuid_entry2.sizeBytes;
  const before = encodeArray(structs.kvm_cpuid_entry2, cpuid.entries);
  const bytes = new Uint8Array(header.sizeBytes + room);
  bytes.set(header.encode({ nent: cpuid.nent }));
  bytes.set(before, header.sizeBytes);
  const arg = client.place(bytes);
  return {
    arg,
    written: () => {
      const after = encodeArray(structs.kvm_cpuid_entry2, cpuid.entries);
      const entries = client.peek(arg + BigInt(header.sizeBytes), after.length);
      return {
        header: [peek(client, arg, header), cpuid.readHeader()],
        entries: [entries, after],
      };
    },
  };
}

function placeCapabilities(client: Client, value: CapabilitiesValue): Data {
  const layout = structs.kvm_tdx_capabilities;
  const nent = value.readNent();
  const room = nent * structs.kvm_cpuid_entry2.sizeBytes;
  const arg = client.place(Buffer.concat([layout.encode({ nent }), new Uint8Array(room)]));
  const expected = ({ cpuid, ...fields }: CapabilitiesStruct) =>
    Buffer.concat([
      layout.encode({ ...fields, nent: cpuid.length }),
      encodeArray(structs.kvm_cpuid_entry2, cpuid),
    ]);
  return {
    arg,
    written: () => {
      const bytes = value.value === undefined ? undefined : expected(value.value);
      return {
        capabilities: [bytes && client.peek(arg, bytes.length), bytes && Uint8Array.from(bytes)],
      };
    },
  };
}

/** The struct as the client's kernel has it, and what is left of the values in it. */
function placeInitVm(client: Client, init: InitVmStruct): Data {
  const { maxVcpus = 0, xfam, cpuid, reserved, ...measured } = init;
  const { nent, padding } = cpuid;
  const entries = encodeArray(structs.kvm_cpuid_entry2, cpuid.entries);
  const fixed = client.kernelAbi.initVm.struct === 'fixed size';
  const header = fixed
    ? fixedSizeInitVm.header.encode({ ...measured, maxVcpus, nent, padding })
    : structs.kvm_tdx_init_vm.encode({ ...measured, xfam, reserved, nent, padding });
  const used = header.length + entries.length;
  const tail = fixed ? fixedSizeInitVm.bytes - used : 0;
  const reservedWords = fixed ? tail / 8 : 12;
  const value: InitVmStruct = {
    ...init,
    reserved: Array.from({ length: reservedWords }, (_, index) => reserved[index] ?? 0n),
  };
  const bytes = Buffer.concat([header, entries, new Uint8Array(tail)]);
  const { maxVcpus: _, ...withoutLimit } = value;
  return {
    arg: client.place(bytes),
    fields: { data: new InitVmValue(fixed ? value : withoutLimit) },
    written: nothing,
  };
}

function plainOf<T>(struct: UserStruct<T>): T {
  return (struct as StructValue<T>).value;
}

function plainInitVm(data: { read(nent: number): InitVmStruct | undefined }): InitVmStruct {
  const init = data.read(0);
  if (init === undefined) throw new Error('a struct that faults has no bytes');
  return init;
}

function peek<const F extends Fields>(client: Client, address: bigint, layout: Layout<F>) {
  const bytes = client.peek(address, layout.sizeBytes);
  return bytes === undefined ? undefined : layout.decode(bytes);
}

/** The fd of a handle; one that is not open for none. */
function fdOf(client: Client, handle: GuestMemfdFact): number {
  const fd = typeof handle === 'number' ? 1000 + handle : 999;
  if (typeof handle === 'number') client.fds.set(fd, { kind: 'ours', handle });
  return fd;
}

const padded = (cap: EnableCapStruct): EnableCapStruct => ({
  ...cap,
  args: Array.from({ length: 4 }, (_, index) => cap.args[index] ?? 0n),
});

function withFd(client: Client, cap: EnableCapStruct): readonly bigint[] {
  if (cap.cap !== capabilities.KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM) return cap.args;
  const [source = 0n, ...others] = cap.args;
  return [BigInt(fdOf(client, Number(source))), ...others];
}
