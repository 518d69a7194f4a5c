/** Every fault that a recorded run could have met, one at a time: what a sweep goes through. */
import type { ErrnoName } from '../abi/kvm/errno.ts';
import type { SeamcallName } from '../abi/tdx/seamcalls.ts';
import type { OperandName, StatusName } from '../abi/tdx/status.ts';
import type { FaultRecord, RequestNameOfFault } from './fault-records.ts';
import type { FaultPoint } from './faults.ts';
import type { IoctlEvent, TraceEvent } from './trace.ts';

type Answer = readonly [status: StatusName, operand?: OperandName];

/**
 * What a leaf may answer though the host has made no mistake: locks, entropy, interrupts, and what
 * keeps a TD from being taken down. Source: Intel TDX module ABI specification, the completion status
 * codes of each leaf. What only a wrong argument brings (src/abi/tdx/checks/) is not here: KVM gives none.
 */
const answers: Readonly<Record<SeamcallName, readonly Answer[]>> = {
  'TDH.VP.ENTER': [['TDX_OPERAND_BUSY', 'TD_EPOCH']],
  'TDH.MNG.CREATE': [['TDX_RND_NO_ENTROPY'], ['TDX_OPERAND_BUSY', 'KOT']],
  'TDH.MNG.KEY.CONFIG': [['TDX_KEY_GENERATION_FAILED'], ['TDX_OPERAND_BUSY', 'KET']],
  'TDH.MNG.ADDCX': [['TDX_RND_NO_ENTROPY'], ['TDX_OPERAND_BUSY', 'RDX']],
  'TDH.MNG.INIT': [['TDX_LIMIT_CPUID_MAXVAL_SET'], ['TDX_OPERAND_BUSY', 'RCX']],
  'TDH.MNG.RD': [['TDX_OPERAND_BUSY', 'RCX']],
  'TDH.VP.CREATE': [['TDX_OPERAND_BUSY', 'RDX']],
  'TDH.VP.ADDCX': [['TDX_OPERAND_BUSY', 'RDX']],
  'TDH.VP.INIT': [['TDX_INCONSISTENT_MSR'], ['TDX_OPERAND_BUSY', 'RCX']],
  'TDH.VP.FLUSH': [['TDX_OPERAND_BUSY', 'RCX']],
  'TDH.VP.WR': [['TDX_OPERAND_BUSY', 'RCX']],
  'TDH.MEM.SEPT.ADD': [['TDX_OPERAND_BUSY', 'SEPT_TREE']],
  'TDH.MEM.PAGE.ADD': [['TDX_OPERAND_BUSY', 'SEPT_TREE']],
  'TDH.MEM.PAGE.AUG': [['TDX_OPERAND_BUSY', 'SEPT_TREE']],
  'TDH.MR.EXTEND': [['TDX_OPERAND_BUSY', 'SEPT_TREE']],
  'TDH.MR.FINALIZE': [['TDX_OPERAND_BUSY', 'RCX']],
  'TDH.MEM.RANGE.BLOCK': [['TDX_OPERAND_BUSY', 'SEPT_TREE']],
  'TDH.MEM.TRACK': [['TDX_PREVIOUS_TLB_EPOCH_BUSY'], ['TDX_OPERAND_BUSY', 'TD_EPOCH']],
  'TDH.MEM.PAGE.REMOVE': [['TDX_OPERAND_BUSY', 'SEPT_TREE']],
  'TDH.MNG.VPFLUSHDONE': [['TDX_FLUSHVP_NOT_DONE'], ['TDX_OPERAND_BUSY', 'RCX']],
  'TDH.PHYMEM.CACHE.WB': [['TDX_INTERRUPTED_RESUMABLE'], ['TDX_OPERAND_BUSY', 'WBCACHE']],
  'TDH.MNG.KEY.FREEID': [['TDX_WBCACHE_NOT_COMPLETE'], ['TDX_OPERAND_BUSY', 'KOT']],
  'TDH.MNG.KEY.RECLAIMID': [],
  'TDH.PHYMEM.PAGE.RECLAIM': [['TDX_OPERAND_BUSY', 'RCX']],
  'TDH.PHYMEM.PAGE.WBINVD': [['TDX_OPERAND_BUSY', 'RCX']],
  'TDH.PHYMEM.PAMT.ADD': [['TDX_OPERAND_BUSY', 'RCX']],
  'TDH.PHYMEM.PAMT.REMOVE': [['TDX_OPERAND_BUSY', 'RCX']],
};

/** Other processes can take what INIT_VM needs just before it. */
const beforeInitVm: readonly FaultRecord[] = [
  { at: 'KVM_TDX_INIT_VM', event: { kind: 'package-offline' } },
  { at: 'KVM_TDX_INIT_VM', event: { kind: 'foreign-tds', change: 999_999_999 } },
  { at: 'KVM_TDX_INIT_VM', event: { kind: 'cgroup-max', max: 0, path: '/' } },
];

/** A record for each fault, in the order of the trace. `nth` counts as the injector does. */
export function possibleFaults(trace: Iterable<TraceEvent>): FaultRecord[] {
  const counts = new Map<string, number>();
  const nthOf = (at: string) => {
    const nth = (counts.get(at) ?? 0) + 1;
    counts.set(at, nth);
    return nth === 1 ? {} : { nth };
  };
  const faults: FaultRecord[] = [];
  for (const event of trace) {
    if (event.kind === 'seamcall') {
      const { leaf: at } = event;
      const calls = nthOf(at);
      for (const [answer, operand] of answers[at]) {
        faults.push({ at, answer, ...(operand === undefined ? {} : { operand }), ...calls });
      }
    } else if (event.kind === 'ioctl') {
      faults.push(...faultsOfIoctl(event, nthOf));
    }
  }
  return faults;
}

function faultsOfIoctl(
  event: IoctlEvent,
  nthOf: (at: string) => { readonly nth?: number },
): FaultRecord[] {
  // A guest that runs ends when it is cancelled; that is no fault.
  if (event.request.request === 'KVM_RUN') return [];
  const at: RequestNameOfFault = event.request.request;
  const calls = nthOf(at);
  const steps = event.points.map((point) => ({
    at: point,
    errno: errnoOf(point),
    ...nthOf(point),
  }));
  if (at === 'KVM_TDX_INIT_VM') return [...beforeInitVm.map((f) => ({ ...f, ...calls })), ...steps];
  if (at !== 'KVM_TDX_INIT_MEM_REGION') return steps;
  const signals = Array.from({ length: event.pagesBegun }, (_, page) => ({
    at,
    signalBeforePage: page,
    ...calls,
  }));
  return [...steps, ...signals];
}

/** What the kernel answers where such a step fails. */
function errnoOf(point: FaultPoint): ErrnoName {
  if (point.endsWith('install the fd')) return 'EMFILE';
  if (point.endsWith('lock both VMs')) return 'EINTR';
  if (point.endsWith('set the APIC state of a vCPU')) return 'EINVAL';
  if (point.endsWith('get the source page')) return 'EFAULT';
  if (point.endsWith('get the guest_memfd page')) return 'EHWPOISON';
  return 'ENOMEM';
}
