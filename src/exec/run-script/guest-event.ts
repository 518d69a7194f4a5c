/** A step of a script as what a guest does to its vCPU, with registers as the GHCI and Linux use them. */
import { KVM_MEMORY_EXIT_FLAG_PRIVATE } from '../../abi/kvm/exits.ts';
import type { GuestEvent, TdVmCallRegister } from '../../simulator/index.ts';
import type { GuestAction } from './run-script.ts';

/** An action that takes one entry. `hold` takes as long as it likes, and `repeat` is unrolled before. */
export type SingleAction = Exclude<GuestAction, { readonly do: 'hold' | 'repeat' }>;

/** @param sharedBit the bit that is set in an address of shared memory */
export function guestEvent(action: SingleAction, sharedBit: bigint): GuestEvent {
  switch (action.do) {
    case 'in':
    case 'out': {
      const { do: direction, port, sizeBytes } = action;
      const data = action.do === 'out' ? action.data : 0n;
      return { tdvmcall: 'Instruction.IO', direction, port, sizeBytes, data };
    }
    case 'mmioRead':
    case 'mmioWrite': {
      const isWrite = action.do === 'mmioWrite';
      const data = action.do === 'mmioWrite' ? action.data : 0n;
      const gpa = action.address | sharedBit;
      return { tdvmcall: '#VE.RequestMMIO', isWrite, gpa, sizeBytes: action.sizeBytes, data };
    }
    case 'mapGpa': {
      const gpa = action.to === 'shared' ? action.gpa | sharedBit : action.gpa;
      return { tdvmcall: 'MapGPA', gpa, size: action.size };
    }
    case 'getQuote':
      return { tdvmcall: 'GetQuote', gpa: action.gpa | sharedBit, size: action.size };
    case 'getTdVmCallInfo':
      return { tdvmcall: 'GetTdVmCallInfo', leaf: action.leaf };
    case 'setupEventNotifyInterrupt':
      return { tdvmcall: 'SetupEventNotifyInterrupt', vector: action.vector };
    case 'reportFatalError':
      return { tdvmcall: 'ReportFatalError', registers: fatalRegisters(action, sharedBit) };
    case 'memoryFault': {
      const { errno, gpa, size, access } = action;
      const flags = access === 'private' ? KVM_MEMORY_EXIT_FLAG_PRIVATE : 0n;
      return { reason: 'KVM_EXIT_MEMORY_FAULT', errno, flags, gpa, size };
    }
    case 'touchUnacceptedMemory':
      return 'touches unaccepted memory';
    case 'shutdown':
      return { reason: 'KVM_EXIT_SHUTDOWN' };
  }
}

/** The guest lays out its message in these registers in this order. */
const messageRegisters = ['r14', 'r15', 'rbx', 'rdi', 'rsi', 'r8', 'r9', 'rdx'] as const;
/** x86 numbers its registers so. */
const registerNumbers = {
  rdx: 2,
  rbx: 3,
  rsi: 6,
  rdi: 7,
  r8: 8,
  r9: 9,
  r10: 10,
  r11: 11,
  r12: 12,
  r13: 13,
  r14: 14,
  r15: 15,
} as const;

/** Bit 63 of the error code says that R13 has an address. */
const gpaIsValid = 1n << 63n;

function fatalRegisters(
  { code, message, gpa }: Extract<GuestAction, { do: 'reportFatalError' }>,
  sharedBit: bigint,
): Readonly<Partial<Record<TdVmCallRegister, bigint>>> {
  const text = Buffer.alloc(8 * messageRegisters.length);
  text.write(message);
  const words = messageRegisters.map((name, word) => [name, text.readBigUInt64LE(8 * word)]);
  return {
    // RCX says which registers the host may see: all that hold anything.
    rcx: Object.values(registerNumbers).reduce((mask, number) => mask | (1n << BigInt(number)), 0n),
    r12: gpa === undefined ? code : code | gpaIsValid,
    ...(gpa === undefined ? {} : { r13: gpa | sharedBit }),
    ...(Object.fromEntries(words) as Partial<Record<TdVmCallRegister, bigint>>),
  };
}
