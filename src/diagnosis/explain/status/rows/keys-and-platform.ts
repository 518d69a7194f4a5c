/** Classes 08 to 0A: key ids and caches, the platform's CPUID and MSRs, physical memory. */
import type { StatusRow } from '../status-row.ts';

export const keyAndPlatformRows = {
  TDX_KEY_GENERATION_FAILED: {
    meaning: 'the CPU could not make a key, for lack of entropy; repeating it works',
    returnedBy: ['TDH.MNG.KEY.CONFIG', 'TDH.SYS.KEY.CONFIG'],
    next: 'try again in a moment; build fewer TDs at the same time',
  },
  TDX_TD_KEYS_NOT_CONFIGURED: {
    meaning: 'the TD has no working key: not configured on every package yet, or in teardown',
    returnedBy: [],
    causes: ['a package of the host had no online CPU', 'the TD is being torn down'],
    next: 'bring a CPU of every package online, and build the TD again',
  },
  TDX_KEY_STATE_INCORRECT: {
    meaning: 'the key id is not in the state that the call needs',
    returnedBy: ['TDH.MNG.KEY.CONFIG', 'TDH.MNG.KEY.FREEID'],
    next: 'look for the first failed SEAMCALL of this TD',
  },
  TDX_KEY_CONFIGURED: {
    meaning: 'the key was configured on this package already; no error',
    returnedBy: ['TDH.MNG.KEY.CONFIG', 'TDH.SYS.KEY.CONFIG'],
    next: 'nothing to do',
  },
  TDX_WBCACHE_NOT_COMPLETE: {
    meaning: 'a key id cannot be freed before the caches of every package were written back',
    returnedBy: ['TDH.MNG.KEY.FREEID'],
    causes: ['a package of the host had no online CPU while the TD ended'],
    next: 'keep one CPU of every package online; the key slot may be lost until a reboot',
  },
  TDX_HKID_NOT_FREE: {
    meaning: 'the module says that the key id (HKID) is in use, though the kernel believes it free',
    returnedBy: ['TDH.MNG.CREATE'],
    causes: [
      'an earlier TD was not torn down to its end, so its key id is lost',
      'the kernel was started by kexec while TDs ran',
    ],
    next: 'look for "leaked" in the kernel log; a full reboot gives the key ids back',
  },
  TDX_NO_HKID_READY_TO_WBCACHE: {
    meaning: 'no key id waits for its caches to be written back; no error',
    returnedBy: ['TDH.PHYMEM.CACHE.WB'],
    next: 'nothing to do: the kernel takes it as done',
  },
  TDX_WBCACHE_RESUME_ERROR: {
    meaning: 'writing the caches back was resumed where nothing had been interrupted',
    returnedBy: ['TDH.PHYMEM.CACHE.WB'],
    next: 'report it: two teardowns collided in the kernel',
  },
  TDX_FLUSHVP_NOT_DONE: {
    meaning: 'a vCPU of the TD is still held by some CPU, so its key id cannot be freed yet',
    returnedBy: ['TDH.MNG.VPFLUSHDONE'],
    causes: ['a file descriptor of a vCPU is still open somewhere'],
    next: 'end every process that holds a descriptor of the TD; the key slot stays taken till then',
  },
  TDX_NUM_ACTIVATED_HKIDS_NOT_SUPPORTED: {
    meaning: 'the BIOS split gives more key ids than the module can manage (2047)',
    returnedBy: ['TDH.SYS.INIT'],
    next: 'choose another "TME-MT/TDX key split" in the BIOS',
  },
  TDX_LIMIT_CPUID_MAXVAL_SET: {
    meaning: 'the BIOS limits CPUID to very old operating systems (LIMIT_CPUID_MAXVAL)',
    returnedBy: ['TDH.SYS.INIT', 'TDH.SYS.LP.INIT', 'TDH.MNG.INIT'],
    next: 'switch off "Limit CPUID Maximum" in the BIOS',
  },
  TDX_CPUID_LEAF_1F_FORMAT_UNRECOGNIZED: {
    meaning: 'the CPU topology (CPUID 1Fh) has a form that the module does not know',
    returnedBy: ['TDH.SYS.INIT', 'TDH.MNG.INIT'],
    causes: [
      'the VMM gives KVM_TDX_INIT_VM levels that are not numbered from 0, or that lack the cores',
      'the CPUs of the host have a topology that is newer than the module',
    ],
    next: 'correct leaf 1Fh of the VMM, or leave it out; at the start of the host, update the BIOS',
  },
  TDX_INCONSISTENT_MSR: {
    meaning: 'an MSR has another value on this CPU than on the first one, or changed since boot',
    returnedBy: ['TDH.SYS.LP.INIT', 'TDH.MNG.INIT', 'TDH.VP.INIT'],
    causes: [
      'the BIOS sets up the CPUs differently: an old BIOS',
      'software on the host wrote the MSR after the module was initialised (0x3B: TSC_ADJUST)',
    ],
    next: 'update the BIOS and the microcode; stop what writes MSRs (undervolting, tsc tools)',
  },
  TDX_TDMR_ALREADY_INITIALIZED: {
    meaning: 'this range of memory is initialised already; no error',
    returnedBy: ['TDH.SYS.TDMR.INIT'],
    next: 'nothing to do',
  },
} as const satisfies Record<string, StatusRow>;
