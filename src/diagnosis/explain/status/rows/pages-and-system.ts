/** Classes 03 to 05: pages of physical memory, what hangs on them, and the module as a whole. */
import type { StatusRow } from '../status-row.ts';

const outOfOrder = 'report it with the whole kernel log: the kernel keeps this order';

export const pageAndSystemRows = {
  TDX_PAGE_METADATA_INCORRECT: {
    meaning: 'a page of memory is not of the kind that the call expects',
    returnedBy: ['TDH.PHYMEM.PAGE.RECLAIM', 'TDH.MEM.PAGE.ADD', 'TDH.MNG.CREATE', 'TDH.VP.CREATE'],
    causes: [
      'at the end of a TD: the page was given back already, by another path (a race when a big TD ends)',
      'while a TD is built: the page still belongs to an earlier TD whose teardown failed',
    ],
    next: 'update the kernel if the host goes on without trouble; else reboot to get the pages back',
  },
  TDX_PAGE_NOT_FREE: {
    meaning: 'a page that should be free for new use is in use',
    returnedBy: ['TDH.PHYMEM.PAMT.ADD'],
    next: 'report it: the kernel gave the module a page twice',
  },
  TDX_HPA_RANGE_NOT_FREE: {
    meaning: 'the 2 MiB region has its dynamic PAMT pages already',
    returnedBy: ['TDH.PHYMEM.PAMT.ADD'],
    next: 'report it unless the kernel goes on: two CPUs added the same PAMT pages',
  },
  TDX_MISSING_PAMT_PAGE_PAIR: {
    meaning: 'the 2 MiB region has no dynamic PAMT pages yet',
    returnedBy: ['TDH.MEM.PAGE.ADD', 'TDH.MEM.SEPT.ADD', 'TDH.MNG.ADDCX'],
    next: 'use a kernel that knows dynamic PAMT, or a module that does not switch it on',
  },
  TDX_TD_ASSOCIATED_PAGES_EXIST: {
    meaning: 'the root page of a TD cannot be given back while other pages of the TD remain',
    returnedBy: ['TDH.PHYMEM.PAGE.RECLAIM'],
    causes: ['an earlier page of the teardown could not be reclaimed'],
    next: 'look for the first failed SEAMCALL before this one; the pages stay lost until a reboot',
  },
  TDX_SYS_INIT_NOT_PENDING: {
    meaning: 'the module was initialised already',
    returnedBy: ['TDH.SYS.INIT'],
    causes: [
      'the kernel was started by kexec, and the kernel before it had initialised the module',
    ],
    next: 'boot through the firmware (a full reboot): the module cannot be initialised twice',
  },
  TDX_SYS_LP_INIT_NOT_DONE: {
    meaning: 'a call ran on a CPU that was not prepared for the TDX module',
    returnedBy: [],
    causes: ['a CPU came online after the module was initialised and could not be prepared'],
    next: 'take that CPU offline and online again, or boot with all CPUs online',
  },
  TDX_SYS_LP_INIT_DONE: {
    meaning: 'this CPU was prepared for the TDX module already',
    returnedBy: ['TDH.SYS.LP.INIT'],
    causes: ['the kernel was started by kexec'],
    next: 'boot through the firmware (a full reboot)',
  },
  TDX_SYS_NOT_READY: {
    meaning: 'the module does not answer this call in the state it is in',
    returnedBy: [],
    causes: [
      'the initialisation of the module failed earlier: the line that says so comes before this one',
      'the module is older than the kernel needs, and knows the call only once it is ready',
    ],
    next: 'look for the first failed SEAMCALL of the log; update the BIOS, which brings the module',
  },
  TDX_SYS_SHUTDOWN: {
    meaning: 'the module was shut down, and answers nothing until it is loaded again',
    returnedBy: [],
    causes: ['an update of the module was begun and did not end', 'the kernel disabled TDX'],
    next: 'reboot the host; the TDs that ran on it are lost',
  },
  TDX_SYS_KEY_CONFIG_NOT_PENDING: {
    meaning: 'the key of the module is configured on every package already',
    returnedBy: ['TDH.SYS.KEY.CONFIG'],
    next: outOfOrder,
  },
  TDX_SYS_STATE_INCORRECT: {
    meaning: 'the call does not fit the state of the module',
    returnedBy: ['TDH.SYS.UPDATE', 'TDH.SYS.SHUTDOWN'],
    causes: ['an update of the module was tried while it was not stopped on every CPU'],
    next: 'bring all CPUs online and repeat the update; reboot if the module does not answer',
  },
  TDX_SYS_INVALID_HANDOFF: {
    meaning: 'the new module cannot take over what the old one left for it',
    returnedBy: ['TDH.SYS.UPDATE'],
    causes: ['the new module is of another line than the one running, or too far from it'],
    next: 'choose a module that lists the running one as a start (same major.minor release)',
  },
  TDX_SYS_LP_INIT_NOT_PENDING: {
    meaning: 'a CPU was to be prepared before the module itself was',
    returnedBy: ['TDH.SYS.LP.INIT'],
    causes: ['the initialisation of the module failed just before'],
    next: 'look for the failed TDH.SYS.INIT (leaf 0x21) before it',
  },
  TDX_SYS_CONFIG_NOT_PENDING: {
    meaning: 'memory was to be handed over before every CPU was prepared, or a second time',
    returnedBy: ['TDH.SYS.CONFIG'],
    causes: ['a CPU was offline while the module was initialised'],
    next: 'boot with all CPUs online: no maxcpus= or nosmt on the kernel command line',
  },
  TDX_UPDATE_COMPATIBILITY_SENSITIVE: {
    meaning: 'the module must not be updated now: a TD is being built or migrated',
    returnedBy: ['TDH.SYS.SHUTDOWN', 'TDH.SYS.UPDATE'],
    next: 'wait until no TD is being built, and repeat the update',
  },
} as const satisfies Record<string, StatusRow>;
