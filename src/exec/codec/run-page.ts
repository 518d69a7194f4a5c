/**
 * `struct kvm_run` in the bytes that a vCPU shares with the client (kernel-abi 1.4): the struct in the
 * first page, the data of port I/O in the second, the ring of coalesced MMIO in the third.
 */
import { exitReasons, KVM_EXIT_IO_IN, KVM_EXIT_IO_OUT } from '../../abi/kvm/exits.ts';
import { tdVmCallLeaves, tdVmCallStatuses } from '../../abi/tdx/tdvmcall.ts';
import type { RunPage, RunPageInput, VcpuExit } from '../../simulator/index.ts';
import { Layout } from './layout.ts';

/** What KVM_GET_VCPU_MMAP_SIZE answers. */
export const runPageBytes = 3 * 4096;
const pioDataOffset = 4096;

const fieldsOutsideTheUnion = new Layout(304, {
  immediateExit: [1, 'u8'],
  exitReason: [8, 'u32'],
  validRegs: [288, 'u64'],
  dirtyRegs: [296, 'u64'],
});

/** The union at byte 32, by exit; an exit without data has no member. */
const members = {
  KVM_EXIT_IO: new Layout(304, {
    direction: [32, 'u8'],
    sizeBytes: [33, 'u8'],
    port: [34, 'u16'],
    count: [36, 'u32'],
    dataOffset: [40, 'u64'],
  }),
  KVM_EXIT_HYPERCALL: new Layout(304, {
    nr: [32, 'u64'],
    args: [40, 'u64', 6],
    ret: [88, 'u64'],
    flags: [96, 'u64'],
  }),
  KVM_EXIT_INTERNAL_ERROR: new Layout(304, {
    suberror: [32, 'u32'],
    ndata: [36, 'u32'],
  }),
  KVM_EXIT_SYSTEM_EVENT: new Layout(304, {
    type: [32, 'u32'],
    ndata: [36, 'u32'],
    data: [40, 'u64', 16],
  }),
  KVM_EXIT_MEMORY_FAULT: new Layout(304, {
    flags: [32, 'u64'],
    gpa: [40, 'u64'],
    size: [48, 'u64'],
  }),
  /** `unknown`: the other members of its own union have names for the same words. */
  KVM_EXIT_TDX: new Layout(304, {
    flags: [32, 'u64'],
    nr: [40, 'u64'],
    ret: [48, 'u64'],
    data: [56, 'u64', 5],
  }),
} as const;

export class RunPageInMemory implements RunPage {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array = new Uint8Array(runPageBytes)) {
    this.#bytes = bytes;
  }

  read(): RunPageInput {
    const { immediateExit, validRegs, dirtyRegs } = fieldsOutsideTheUnion.decode(this.#bytes);
    return {
      immediateExit: immediateExit !== 0,
      syncRegs: validRegs | dirtyRegs,
      result: this.#result(),
    };
  }

  /** cr8, apic_base and flags stay as they are, and so does what the exit has no field for. */
  writeExit(exit: VcpuExit): void {
    fieldsOutsideTheUnion.encodeInto(this.#bytes, { exitReason: exitReasons[exit.reason] });
    switch (exit.reason) {
      case 'KVM_EXIT_INTR':
      case 'KVM_EXIT_SHUTDOWN':
        break;
      case 'KVM_EXIT_IO':
        this.#writeIo(exit);
        break;
      case 'KVM_EXIT_HYPERCALL': {
        const { args, flags } = exit;
        members[exit.reason].encodeInto(this.#bytes, { nr: BigInt(exit.nr), args, flags, ret: 0n });
        break;
      }
      case 'KVM_EXIT_INTERNAL_ERROR':
        members[exit.reason].encodeInto(this.#bytes, { suberror: exit.suberror, ndata: 0 });
        break;
      case 'KVM_EXIT_SYSTEM_EVENT': {
        const { type, data } = exit;
        members[exit.reason].encodeInto(this.#bytes, { type, data, ndata: data.length });
        break;
      }
      case 'KVM_EXIT_MEMORY_FAULT':
        members[exit.reason].encodeInto(this.#bytes, exit);
        break;
      case 'KVM_EXIT_TDX': {
        const { nr, data } = exit;
        const ret = presetTdxRet(nr);
        members[exit.reason].encodeInto(this.#bytes, { flags: 0n, nr: BigInt(nr), ret, data });
        break;
      }
    }
  }

  #writeIo(exit: VcpuExit & { readonly reason: 'KVM_EXIT_IO' }): void {
    const { sizeBytes, port } = exit;
    members.KVM_EXIT_IO.encodeInto(this.#bytes, {
      direction: exit.direction === 'in' ? KVM_EXIT_IO_IN : KVM_EXIT_IO_OUT,
      sizeBytes,
      port,
      count: 1,
      dataOffset: BigInt(pioDataOffset),
    });
    if (exit.direction === 'out') this.#pioData(sizeBytes).set(littleEndian(exit.data, sizeBytes));
  }

  /**
   * What user space answers to the exit before. Which one that was is read from the page: a client that
   * writes over it deceives nobody but itself.
   */
  #result(): bigint {
    const { exitReason } = fieldsOutsideTheUnion.decode(this.#bytes);
    switch (exitReason) {
      case exitReasons.KVM_EXIT_HYPERCALL:
        return members.KVM_EXIT_HYPERCALL.decode(this.#bytes).ret;
      case exitReasons.KVM_EXIT_TDX:
        return members.KVM_EXIT_TDX.decode(this.#bytes).ret;
      case exitReasons.KVM_EXIT_IO: {
        const { direction, sizeBytes } = members.KVM_EXIT_IO.decode(this.#bytes);
        return direction === KVM_EXIT_IO_IN ? fromLittleEndian(this.#pioData(sizeBytes)) : 0n;
      }
      default:
        return 0n;
    }
  }

  /** No access is wider than 8 bytes, whatever a client has put in the place of its size. */
  #pioData(sizeBytes: number): Uint8Array {
    return this.#bytes.subarray(pioDataOffset, pioDataOffset + Math.min(sizeBytes, widestAccess));
  }
}

const widestAccess = 8;

function littleEndian(value: bigint, lengthBytes: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, true);
  return bytes.subarray(0, lengthBytes);
}

function fromLittleEndian(bytes: Uint8Array): bigint {
  const whole = new Uint8Array(8);
  whole.set(bytes);
  return new DataView(whole.buffer).getBigUint64(0, true);
}

/** What KVM writes before it asks user space, which an old VMM leaves as it is. */
function presetTdxRet(nr: number): bigint {
  return nr === Number(tdVmCallLeaves.GetTdVmCallInfo)
    ? tdVmCallStatuses.SUCCESS
    : tdVmCallStatuses.SUBFUNC_UNSUPPORTED;
}
