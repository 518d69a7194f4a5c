/** Classes 00 to 02: how a call ended, operands, and what was busy. */
import type { StatusRow } from '../status-row.ts';

const retryLater = 'do nothing if the kernel goes on: it repeats the call by itself';

export const generalRows = {
  TDX_SUCCESS: {
    meaning: 'the call did what it was asked',
    returnedBy: [],
    next: 'nothing to do: look for the failure elsewhere in the log',
  },
  TDX_NON_RECOVERABLE_VCPU: {
    meaning: 'this vCPU can never run again; the TD itself lives',
    returnedBy: ['TDH.VP.ENTER'],
    causes: [
      'the guest met a triple fault or an exit that it must not cause',
      'the module found the state of the vCPU inconsistent',
    ],
    next: 'stop the TD, and look at the console of the guest for its last words',
  },
  TDX_NON_RECOVERABLE_TD: {
    meaning: 'this TD can never run again; only tearing it down still works',
    returnedBy: ['TDH.VP.ENTER'],
    causes: [
      'the guest touched its memory in a way that breaks its integrity or its build',
      'a machine check hit memory of the TD',
    ],
    next: 'stop the TD; look for "mce:" and "Machine check" in the kernel log',
  },
  TDX_INTERRUPTED_RESUMABLE: {
    meaning: 'a long call was interrupted and goes on where it stopped when it is repeated',
    returnedBy: ['TDH.PHYMEM.CACHE.WB', 'TDH.EXPORT.MEM', 'TDH.IMPORT.MEM'],
    next: retryLater,
  },
  TDX_INTERRUPTED_RESTARTABLE: {
    meaning: 'a long call was interrupted and starts again from its beginning when it is repeated',
    returnedBy: ['TDH.MEM.PAGE.DEMOTE', 'TDH.MEM.PAGE.PROMOTE'],
    next: retryLater,
  },
  TDX_INVALID_RESUMPTION: {
    meaning: 'an interrupted call was resumed with other operands than it was begun with',
    returnedBy: ['TDH.EXPORT.MEM', 'TDH.IMPORT.MEM', 'TDH.EXPORT.STATE.VP'],
    next: 'report it: the VMM or the kernel mixes up two interrupted calls',
  },
  TDX_OPERAND_INVALID: {
    meaning: 'the module refuses one operand of the call',
    returnedBy: [],
    causes: ['the details name the operand; the caller gave it a value that this module refuses'],
    next: 'find the leaf in the log: operand and leaf together say what was refused',
  },
  TDX_OPERAND_ADDR_RANGE_ERROR: {
    meaning: 'an address lies outside the memory that the TDX module manages',
    returnedBy: ['TDH.MNG.CREATE', 'TDH.MNG.ADDCX', 'TDH.VP.CREATE', 'TDH.MEM.PAGE.ADD'],
    causes: [
      'memory was added after boot: what TDX may use is fixed when the module is initialised',
      'the page lies in a part of memory whose initialisation has not finished',
    ],
    next: 'boot with all memory present; do not hot-plug memory, persistent memory or CXL into use',
  },
  TDX_OPERAND_BUSY: {
    meaning: 'another CPU holds what this call needs; repeating it later works',
    returnedBy: [],
    causes: ['two threads build, run or tear down the same TD at the same moment'],
    next: 'nothing if it is rare: the kernel repeats it. If the VM died of it, update the kernel',
  },
  TDX_PREVIOUS_TLB_EPOCH_BUSY: {
    meaning: 'vCPUs of the TD still run in the TLB epoch before the last one',
    returnedBy: ['TDH.MEM.TRACK'],
    next: retryLater,
  },
  TDX_SYS_BUSY: {
    meaning: 'another CPU is initialising or updating the module itself',
    returnedBy: ['TDH.SYS.INIT', 'TDH.SYS.LP.INIT', 'TDH.SYS.CONFIG', 'TDH.SYS.KEY.CONFIG'],
    next: 'try again once the update of the TDX module has ended',
  },
  TDX_RND_NO_ENTROPY: {
    meaning: 'the random number generator of the CPU had nothing left for a new key',
    returnedBy: ['TDH.MNG.CREATE', 'TDH.MNG.ADDCX', 'TDH.SYS.INIT'],
    causes: ['many TDs are built at once', 'other software drains RDRAND or RDSEED'],
    next: 'try again in a moment; build fewer TDs at the same time',
  },
  TDX_OPERAND_BUSY_HOST_PRIORITY: {
    meaning: 'the guest was told to wait so that the host gets the lock first',
    returnedBy: [],
    next: retryLater,
  },
} as const satisfies Record<string, StatusRow>;
