/** Classes of status codes: bits 47:40. What can be said of a code that is in no table. */

interface StatusClass {
  readonly name: string;
  /** Advice for codes that have none of their own. */
  readonly next: string;
}

const reportIt = 'report it with the kernel version, the module release and the lines before it';
const updateBios = 'update the BIOS and microcode of the host; the module checks the platform here';

const classes: Readonly<Record<number, StatusClass>> = {
  0: {
    name: 'how the call or the vCPU ended',
    next: 'stop the TD, and look at the lines before it',
  },
  1: { name: 'operand of the call', next: reportIt },
  2: { name: 'busy', next: 'nothing if the kernel goes on: it repeats the call by itself' },
  3: { name: 'page of physical memory', next: reportIt },
  4: { name: 'dependent resources', next: reportIt },
  5: { name: 'state of the TDX module', next: 'look for the first failed SEAMCALL of the log' },
  6: { name: 'state of the TD', next: 'look for the first failure of this TD in the log' },
  7: { name: 'state of the vCPU', next: 'look for the first failure of this TD in the log' },
  8: { name: 'key ids and caches', next: 'keep a CPU of every package online; see `tdctl host`' },
  9: { name: 'platform: CPUID and MSRs', next: updateBios },
  10: { name: 'physical memory: CMR, TDMR, PAMT', next: updateBios },
  11: { name: 'memory of the TD: secure EPT', next: reportIt },
  12: { name: 'metadata fields', next: 'update the module to the age of the kernel' },
  13: { name: 'binding of service TDs', next: reportIt },
  14: { name: 'migration', next: reportIt },
  16: { name: 'reports for attestation', next: 'update the microcode, and make a new report' },
  17: { name: 'nested VMs (TD partitioning)', next: 'nothing: such an exit is no error' },
  255: { name: 'made by the kernel, not by the module', next: reportIt },
};

const unknownClass: StatusClass = { name: 'not known', next: reportIt };

export function statusClass(number: number): StatusClass {
  return classes[number] ?? unknownClass;
}

/** What bits 63:60 say about trying again. */
export type Recovery = 'success' | 'information' | 'retry' | 'no-retry' | 'vcpu-lost' | 'td-lost';

export function recoveryOf(word: bigint): Recovery {
  if (word === 0n) return 'success';
  const [error, nonRecoverable, fatal] = [63n, 62n, 61n].map((bit) => ((word >> bit) & 1n) === 1n);
  if (fatal) return 'td-lost';
  if (nonRecoverable) return error ? 'no-retry' : 'vcpu-lost';
  return error ? 'retry' : 'information';
}

export const recoveryTexts: Readonly<Record<Recovery, string>> = {
  success: 'success',
  information: 'no error: it only informs',
  retry: 'recoverable: the same call may succeed later',
  'no-retry': 'not recoverable as it is: the same call fails again until something changes',
  'vcpu-lost': 'not recoverable: this vCPU cannot run again',
  'td-lost': 'fatal for the TD: only tearing it down still works',
};
