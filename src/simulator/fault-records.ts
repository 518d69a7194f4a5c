/**
 * Faults as data. A record says at which call something goes wrong, and how; a list of records makes
 * an injector. The same records on the same calls always do the same.
 */
import type { ErrnoName } from '../abi/kvm/errno.ts';
import type { SeamcallName } from '../abi/tdx/seamcalls.ts';
import { type OperandName, type StatusName, statusWord } from '../abi/tdx/status.ts';
import type { DisturbedMachine, FaultInjector, FaultPoint } from './faults.ts';
import type { Request } from './interface.ts';

export type RequestNameOfFault = Request['request'];

/** Which of the calls: from the `nth` on (default 1), `times` of them (default 1). */
interface Calls {
  readonly nth?: number;
  readonly times?: number | 'always';
}

/** A leaf answers a status and does nothing. */
export interface LeafFault extends Calls {
  readonly at: SeamcallName;
  readonly answer: StatusName;
  /** What the details of the status name. */
  readonly operand?: OperandName;
}

/** An ioctl ends before it looks at anything, or at one of the steps of {@link FaultPoint}. */
export interface ErrnoFault extends Calls {
  readonly at: RequestNameOfFault | FaultPoint;
  readonly errno: ErrnoName;
}

/** The caller has a signal pending as KVM_TDX_INIT_MEM_REGION begins a page, from 0. */
export interface SignalFault extends Calls {
  readonly at: 'KVM_TDX_INIT_MEM_REGION';
  readonly signalBeforePage: number;
}

/** Something else happens on the machine as an ioctl begins. */
export interface MachineFault extends Calls {
  readonly at: RequestNameOfFault;
  readonly event: MachineEvent;
}

export type MachineEvent =
  | { readonly kind: 'package-offline' }
  | { readonly kind: 'package-online' }
  | { readonly kind: 'foreign-tds'; readonly change: number }
  | { readonly kind: 'cgroup-max'; readonly max: number; readonly path: string };

export type FaultRecord = LeafFault | ErrnoFault | SignalFault | MachineFault;

export interface RecordedFaults extends FaultInjector {
  /** Those that have not happened, because the run never came to that call. */
  unmet(): FaultRecord[];
}

/** @returns an injector with counters of its own: one for each machine. */
export function injectorOf(records: readonly FaultRecord[]): RecordedFaults {
  const armed = records.map((record) => ({ record, passes: 0 }));
  let signalPage: number | undefined;

  /** The first record of the kind at this place whose turn it is. Every one of them counts. */
  function due<Kind extends FaultRecord>(
    at: string,
    isKind: (record: FaultRecord) => record is Kind,
  ): Kind[] {
    const found: Kind[] = [];
    for (const each of armed) {
      if (each.record.at !== at || !isKind(each.record)) continue;
      each.passes++;
      if (covers(each.record, each.passes)) found.push(each.record);
    }
    return found;
  }

  return {
    unmet: () =>
      armed.filter(({ record, passes }) => passes < (record.nth ?? 1)).map(({ record }) => record),
    beforeIoctl(request, machine) {
      signalPage = due(request, isSignalFault)[0]?.signalBeforePage;
      for (const { event } of due(request, isMachineFault)) happen(event, machine);
      return due(request, isErrnoFault)[0]?.errno;
    },
    errnoAt: (point) => due(point, isErrnoFault)[0]?.errno,
    statusOf(leaf) {
      const [fault] = due(leaf, isLeafFault);
      if (fault === undefined) return undefined;
      return statusWord(fault.answer, fault.operand);
    },
    counts: (leaf) => armed.some(({ record }) => record.at === leaf),
    // The same page is asked for again while its leaf is busy; the signal stays pending.
    signalBeforePage: (page) => signalPage !== undefined && page >= signalPage,
  };
}

function covers({ nth = 1, times = 1 }: Calls, pass: number): boolean {
  return pass >= nth && (times === 'always' || pass < nth + times);
}

function happen(event: MachineEvent, machine: DisturbedMachine): void {
  switch (event.kind) {
    case 'package-offline':
      machine.setLastPackageOnline(false);
      return;
    case 'package-online':
      machine.setLastPackageOnline(true);
      return;
    case 'foreign-tds':
      machine.changeForeignTds(event.change);
      return;
    case 'cgroup-max':
      machine.setCgroupMax(event);
  }
}

export function isLeafFault(record: FaultRecord): record is LeafFault {
  return 'answer' in record;
}

export function isErrnoFault(record: FaultRecord): record is ErrnoFault {
  return 'errno' in record;
}

export function isSignalFault(record: FaultRecord): record is SignalFault {
  return 'signalBeforePage' in record;
}

export function isMachineFault(record: FaultRecord): record is MachineFault {
  return 'event' in record;
}
