/**
 * `struct kvm_run` in the bytes that a vCPU shares with the client: the struct in the first page,
 * the data of port I/O in the second, the ring of coalesced MMIO in the third. Source:
 * include/uapi/linux/kvm.h, and kvm_vcpu_fault() in virt/kvm/kvm_main.c.
 */
import { exitReasons, KVM_EXIT_IO_IN, KVM_EXIT_IO_OUT } from '../../abi/kvm/exits.ts';
import { tdVmCallLeaves } from '../../abi/tdx/tdvmcall.ts';
import type { RunPage, RunPageInput, VcpuExit } from '../../simulator/index.ts';
import { Layout } from './layout.ts';

/** KVM_GET_VCPU_MMAP_SIZE answers so many. */
export const runPageBytes = 3 * 4096;
const pioDataOffset = 4096;

/** The head ends at `s.regs`, which no TD has. */
const headBytes = 304;

const fieldsOutsideTheUnion = new Layout(headBytes, {
  immediateExit: [1, 'u8'],
  exitReason: [8, 'u32'],
  validRegs: [288, 'u64'],
  dirtyRegs: [296, 'u64'],
});

/** The members of the union at byte 32, by exit. An exit without data has none. */
const members = {
  KVM_EXIT_IO: new Layout(headBytes, {
    direction: [32, 'u8'],
    sizeBytes: [33, 'u8'],
    port: [34, 'u16'],
    count: [36, 'u32'],
    dataOffset: [40, 'u64'],
  }),
  KVM_EXIT_MMIO: new Layout(headBytes, {
    physAddr: [32, 'u64'],
    data: [40, 'u64'],
    len: [48, 'u32'],
    isWrite: [52, 'u8'],
  }),
  KVM_EXIT_HYPERCALL: new Layout(headBytes, {
    nr: [32, 'u64'],
    args: [40, 'u64', 6],
    ret: [88, 'u64'],
    flags: [96, 'u64'],
  }),
  KVM_EXIT_INTERNAL_ERROR: new Layout(headBytes, {
    suberror: [32, 'u32'],
    ndata: [36, 'u32'],
    data: [40, 'u64', 16],
  }),
  KVM_EXIT_SYSTEM_EVENT: new Layout(headBytes, {
    type: [32, 'u32'],
    ndata: [36, 'u32'],
    data: [40, 'u64', 16],
  }),
  KVM_EXIT_MEMORY_FAULT: new Layout(headBytes, {
    flags: [32, 'u64'],
    gpa: [40, 'u64'],
    size: [48, 'u64'],
  }),
  /** This is `unknown` of the union inside it; the other members there are names for the same words. */
  KVM_EXIT_TDX: new Layout(headBytes, {
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
      ...this.#answer(),
    };
  }

  /** cr8, apic_base and flags stay as they are, and so does what the exit has no field for. */
  writeExit(exit: VcpuExit): void {
    const bytes = this.#bytes;
    fieldsOutsideTheUnion.encodeInto(bytes, { exitReason: exitReasons[exit.reason] });
    switch (exit.reason) {
      case 'KVM_EXIT_INTR':
      case 'KVM_EXIT_SHUTDOWN':
        break;
      case 'KVM_EXIT_IO':
        this.#writeIo(exit);
        break;
      case 'KVM_EXIT_MMIO':
        this.#writeMmio(exit);
        break;
      case 'KVM_EXIT_HYPERCALL':
        members[exit.reason].encodeInto(bytes, { ...exit, nr: BigInt(exit.nr), ret: 0n });
        break;
      case 'KVM_EXIT_INTERNAL_ERROR': {
        const { suberror, data = [] } = exit;
        members[exit.reason].encodeInto(bytes, { suberror, data, ndata: data.length });
        break;
      }
      case 'KVM_EXIT_SYSTEM_EVENT':
        members[exit.reason].encodeInto(bytes, { ...exit, ndata: exit.data.length });
        break;
      case 'KVM_EXIT_MEMORY_FAULT':
        members[exit.reason].encodeInto(bytes, exit);
        break;
      case 'KVM_EXIT_TDX': {
        const { nr, ret = 0n, data } = exit;
        members[exit.reason].encodeInto(bytes, { flags: 0n, nr: BigInt(nr), ret, data });
        break;
      }
    }
  }

  #writeIo({ direction, sizeBytes, port, data }: ExitOf<'KVM_EXIT_IO'>): void {
    members.KVM_EXIT_IO.encodeInto(this.#bytes, {
      direction: direction === 'in' ? KVM_EXIT_IO_IN : KVM_EXIT_IO_OUT,
      sizeBytes,
      port,
      count: 1,
      dataOffset: BigInt(pioDataOffset),
    });
    if (direction === 'out') this.#pioData(sizeBytes).set(littleEndian(data, sizeBytes));
  }

  /** The kernel leaves the data alone where the exit asks for a read. */
  #writeMmio({ physAddr, data, len, isWrite }: ExitOf<'KVM_EXIT_MMIO'>): void {
    members.KVM_EXIT_MMIO.encodeInto(this.#bytes, {
      physAddr,
      len,
      isWrite: isWrite ? 1 : 0,
      ...(isWrite ? { data } : {}),
    });
  }

  /**
   * What user space answers to the exit before. Which one that was is read from the page: a client that
   * writes over it deceives nobody but itself.
   */
  #answer(): Pick<RunPageInput, 'result' | 'tdVmCallInfo'> {
    switch (fieldsOutsideTheUnion.decode(this.#bytes).exitReason) {
      case exitReasons.KVM_EXIT_HYPERCALL:
        return { result: members.KVM_EXIT_HYPERCALL.decode(this.#bytes).ret };
      case exitReasons.KVM_EXIT_TDX: {
        const { nr, ret, data } = members.KVM_EXIT_TDX.decode(this.#bytes);
        if (nr !== tdVmCallLeaves.GetTdVmCallInfo) return { result: ret };
        const [, r11 = 0n, r12 = 0n, r13 = 0n, r14 = 0n] = data;
        return { result: ret, tdVmCallInfo: [r11, r12, r13, r14] };
      }
      case exitReasons.KVM_EXIT_IO: {
        const { direction, sizeBytes } = members.KVM_EXIT_IO.decode(this.#bytes);
        const isIn = direction === KVM_EXIT_IO_IN;
        return { result: isIn ? fromLittleEndian(this.#pioData(sizeBytes)) : 0n };
      }
      case exitReasons.KVM_EXIT_MMIO: {
        const { isWrite, data, len } = members.KVM_EXIT_MMIO.decode(this.#bytes);
        return { result: isWrite === 0 ? BigInt.asUintN(8 * len, data) : 0n };
      }
      default:
        return { result: 0n };
    }
  }

  /** No access is wider than 8 bytes, whatever a client has put in the place of its size. */
  #pioData(sizeBytes: number): Uint8Array {
    return this.#bytes.subarray(pioDataOffset, pioDataOffset + Math.min(sizeBytes, widestAccess));
  }
}

/** Of the bytes that a vCPU shares with the client. */
export function exitReasonIn(runPage: Uint8Array): number {
  return fieldsOutsideTheUnion.decode(runPage).exitReason;
}

type ExitOf<Reason extends VcpuExit['reason']> = Extract<VcpuExit, { reason: Reason }>;

const widestAccess = 8;

function littleEndian(value: bigint, lengthBytes: number): Uint8Array {
  const bytes = new Uint8Array(widestAccess);
  new DataView(bytes.buffer).setBigUint64(0, value, true);
  return bytes.subarray(0, lengthBytes);
}

function fromLittleEndian(bytes: Uint8Array): bigint {
  const whole = new Uint8Array(widestAccess);
  whole.set(bytes);
  return new DataView(whole.buffer).getBigUint64(0, true);
}
