/** The structs that a process passes to a simulated machine, right ones unless a test changes a field. */
import { tdxCommands } from '../../src/abi/kvm/requests.ts';
import type { CpuidEntry } from '../../src/abi/kvm/structs.ts';
import {
  type InitMemRegionStruct,
  type InitVmStruct,
  type IoeventfdStruct,
  type IrqfdStruct,
  type MemoryAttributes2Struct,
  type MemoryRegionStruct,
  StructValue,
  type TdxCommandStruct,
  type UserStruct,
} from '../../src/simulator/index.ts';

export const page = 0x1000n;
export const sourceAddress = 0x7f00_0000_0000n;
export const ramGpa = 0x10_0000n;
export const ramPages = 16;
/** vCPUs that a TD is made for, where the kernel wants to be told. */
export const tdVcpus = 8;

export function command(
  name: keyof typeof tdxCommands,
  change: Partial<TdxCommandStruct> = {},
): StructValue<TdxCommandStruct> {
  return new StructValue({ id: tdxCommands[name], flags: 0, data: 0n, hwError: 0n, ...change });
}

/** Four pages without a guest_memfd, in slot 0. */
export function slotRegion(change: Partial<MemoryRegionStruct> = {}) {
  return new StructValue<MemoryRegionStruct>({
    slot: 0,
    flags: 0,
    guestPhysAddr: ramGpa,
    memorySize: 4n * page,
    userspaceAddr: sourceAddress,
    guestMemfdOffset: 0n,
    guestMemfd: undefined,
    ...change,
  });
}

export function memRegion(change: Partial<InitMemRegionStruct> = {}) {
  return new StructValue<InitMemRegionStruct>({
    sourceAddr: sourceAddress,
    gpa: ramGpa,
    nrPages: 1n,
    ...change,
  });
}

export function attributes2Struct(change: Partial<MemoryAttributes2Struct> = {}) {
  return new StructValue<MemoryAttributes2Struct>({
    offset: 0n,
    size: page,
    attributes: 8n,
    flags: 0n,
    errorOffset: 0n,
    reserved: Array.from({ length: 11 }, () => 0n),
    ...change,
  });
}

export function irqfdStruct(change: Partial<IrqfdStruct> = {}) {
  return new StructValue<IrqfdStruct>({
    eventfd: { id: 1 },
    gsi: 0,
    flags: 0,
    resamplefd: 'not open',
    ...change,
  });
}

export function ioeventfdStruct(change: Partial<IoeventfdStruct> = {}) {
  return new StructValue<IoeventfdStruct>({
    datamatch: 0n,
    addr: 0xfe00_0000n,
    len: 4,
    eventfd: { id: 2 },
    flags: 0,
    ...change,
  });
}

/** A struct that faults when it is read, or when it is written. */
export function faulting<T>(
  struct: UserStruct<T>,
  at: 'read' | 'write' | 'second read',
): UserStruct<T> {
  let reads = 0;
  return {
    read: () => {
      reads++;
      const faults = at === 'read' || (at === 'second read' && reads > 1);
      return faults ? undefined : struct.read();
    },
    write: (value) => at !== 'write' && struct.write(value),
  };
}

export const addressSizes: CpuidEntry = {
  function: 0x8000_0008,
  index: 0,
  flags: 0,
  eax: 48 << 16,
  ebx: 0,
  ecx: 0,
  edx: 0,
};

export const x2apicLeaf: CpuidEntry = {
  function: 1,
  index: 0,
  flags: 0,
  eax: 0,
  ebx: 0,
  ecx: 1 << 21,
  edx: 0,
};

export function initVmStruct(change: Partial<InitVmStruct> = {}): InitVmStruct {
  return {
    attributes: 1n << 28n,
    xfam: 0x3n,
    maxVcpus: tdVcpus,
    mrConfigId: new Uint8Array(48),
    mrOwner: new Uint8Array(48),
    mrOwnerConfig: new Uint8Array(48),
    reserved: [],
    cpuid: cpuidOf(addressSizes),
    ...change,
  };
}

export function cpuidOf(...entries: CpuidEntry[]): InitVmStruct['cpuid'] {
  return { nent: entries.length, padding: 0, entries };
}
