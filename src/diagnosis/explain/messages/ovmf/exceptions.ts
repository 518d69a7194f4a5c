/** What OVMF prints when an instruction of the firmware raises a virtualisation exception (#VE). */
import type { Answer } from '../../answer.ts';
import { messages } from '../message.ts';
import { byOvmf } from './printed.ts';

const refused: Answer = {
  id: 'ovmf.host-refused-call',
  meaning: 'the VMM refused what the firmware asked of it (TDVMCALL), and OVMF stops',
  causes: [
    'a device of the TD is at an address that the VMM does not emulate',
    'the VMM does not have the call: it is older than the firmware',
  ],
  next: 'leave out the device that was added last; use the OVMF that comes with the VMM',
};

const undecoded: Answer = {
  id: 'ovmf.mmio-not-decoded',
  meaning: 'a driver of the firmware touched a device by an instruction that OVMF cannot emulate',
  causes: [
    'an option ROM or a driver of a passed-through device that was not written for TDs',
    'a defect of this OVMF',
  ],
  next: 'start the device without its ROM (rombar=0), or update OVMF',
};

const privateFault: Answer = {
  id: 'ovmf.private-memory-fault',
  meaning: 'the firmware touched private memory that was never accepted, or was taken away',
  causes: ['OVMF and VMM disagree on the memory map', 'the VMM took a page of the TD away'],
  next: 'look at the log of the host at that moment; use the OVMF that comes with the VMM',
};

const unsupported: Answer = {
  id: 'ovmf.unsupported-exit',
  meaning: 'the firmware raised a #VE of a kind that OVMF does not handle, and stops',
  causes: [
    'a driver of the firmware uses an instruction that a TD may not',
    'a defect of this OVMF',
  ],
  next: 'update OVMF, and leave out option ROMs (rombar=0)',
};

export const ovmfExceptions = messages(byOvmf('OvmfPkg/Library/CcExitLib/CcExitVeHandler.c'), [
  {
    says: [
      '#VE Error (0x{status:hex}) returned from host, ExitReason is {reason:int}, ExitQualification = 0x{qualification:hex}',
      'TdVmcall failed with {status:hex}',
    ],
    answer: refused,
  },
  {
    says: 'Unsupported #VE happened, ExitReason is {reason:int}, ExitQualification = 0x{qualification:hex}',
    answer: unsupported,
  },
  {
    says: [
      '#VE happened. TDGETVEINFO failed with Status = 0x{status:hex}',
      'TDCALL failed with status={status:hex}',
    ],
    answer: {
      id: 'ovmf.tdcall-failed',
      meaning: 'the TDX module refused a call of the firmware that cannot fail in a sound TD',
      causes: ['the firmware runs in no TD', 'a defect of the module or of this OVMF'],
      next: 'check that the VM is a TD (vm-type tdx), and update OVMF',
    },
  },
  { says: 'EPT-violation #VE on private memory is not allowed', answer: privateFault },
  {
    says: [
      'Invalid MmioSize - {size:int}',
      'Initialize InstructionData failed! ({status})',
      'Parse Ext.ModRm.Mod error! (OpCode: 0x{code:hex})',
      'Invalid MMIO opcode ({code:hex})',
      'Address is not correct! ({code:int}: 0x{address:hex} != 0x{decoded:hex})',
      'TDX: #TD[EPT] instruction ({address:hex}):',
    ],
    answer: undecoded,
  },
  {
    says: [
      'CPUID #VE happened, ExitReasion is {reason:int}, ExitQualification = 0x{qualification:hex}',
      'IO_Instruction #VE happened, ExitReasion is {reason:int}, ExitQualification = 0x{qualification:hex}',
      'MMIO #VE happened, ExitReasion is {reason:int}, ExitQualification = 0x{qualification:hex}',
      'RDMSR #VE happened, ExitReasion is {reason:int}, ExitQualification = 0x{qualification:hex}',
      'WRMSR #VE happened, ExitReasion is {reason:int}, ExitQualification = 0x{qualification:hex}',
    ],
    answer: {
      id: 'ovmf.exit-handled',
      rank: 'healthy',
      meaning: 'the firmware had an instruction emulated, as it does in every TD',
      next: 'nothing to do',
    },
  },
]);
