/**
 * A fault as one line of text, as `tdctl run --fault` takes it: AT[#CALLS]=WHAT.
 *
 *     TDH.MNG.KEY.CONFIG#2=TDX_KEY_GENERATION_FAILED     the second such leaf
 *     TDH.MNG.CREATE#1x3=TDX_RND_NO_ENTROPY              three in a row, from the first
 *     TDH.PHYMEM.CACHE.WB#1+=TDX_OPERAND_BUSY|WBCACHE    every one
 *     KVM_CREATE_VCPU#3=ENOMEM                           as the ioctl begins
 *     KVM_CREATE_VCPU: install the fd#3=EMFILE           at one step of it
 *     KVM_TDX_INIT_MEM_REGION=signal@5                   before page 5 (from 0)
 *     KVM_TDX_INIT_VM=package-offline                    also package-online
 *     KVM_TDX_INIT_VM=foreign-tds+63                     other TDs take slots; - gives them back
 *     KVM_TDX_INIT_VM=cgroup-max:0:/                     misc.max of a cgroup
 */
import { type ErrnoName, errnoNumbers } from '../abi/kvm/errno.ts';
import { ioctlNumbers, tdxCommands } from '../abi/kvm/requests.ts';
import { type SeamcallName, seamcalls } from '../abi/tdx/seamcalls.ts';
import { type OperandName, operandIds, type StatusName, statusCodes } from '../abi/tdx/status.ts';
import {
  type FaultRecord,
  isErrnoFault,
  isLeafFault,
  isSignalFault,
  type MachineEvent,
  type RequestNameOfFault,
} from './fault-records.ts';
import { type FaultPoint, faultPoints } from './faults.ts';

/** What is wrong with a fault's text, and the words that could have stood there. */
export interface FaultTextProblem {
  readonly problem: string;
  /** The word at fault, and what it may be; empty where it is no word of a list. */
  readonly word: string;
  readonly candidates: readonly string[];
}

/** Every place that a fault may name. A guest that runs is ended by cancelling KVM_RUN. */
export const faultPlaces: readonly string[] = [
  ...Object.keys(seamcalls),
  ...Object.keys(ioctlNumbers).filter((name) => name !== 'KVM_RUN'),
  ...Object.keys(tdxCommands),
  // Proposed, and without a number.
  'KVM_LINK_GUEST_MEMFD',
  ...faultPoints,
];

export function parseFault(text: string): FaultRecord | FaultTextProblem {
  const parts = /^([^=#]+?)(?:#([^=]*))?=(.*)$/.exec(text.trim());
  if (parts === null) {
    return wrong('is not of the form AT=WHAT, such as KVM_CREATE_VCPU#3=ENOMEM', text);
  }
  const [, at = '', callsText, what = ''] = parts;
  if (!faultPlaces.includes(at)) {
    return wrong('names no leaf, ioctl or step that can fail', at, faultPlaces);
  }
  const calls = callsText === undefined ? {} : parseCalls(callsText);
  if (calls === undefined) {
    return wrong('says which calls in no known way: #2, #2x3 or #2+', callsText ?? '');
  }
  const fault = Object.hasOwn(seamcalls, at)
    ? parseStatus(at as SeamcallName, what)
    : parseRequestFault(at, what);
  return 'problem' in fault ? fault : { ...fault, ...calls };
}

export function formatFault(fault: FaultRecord): string {
  return `${fault.at}${formatCalls(fault)}=${formatWhat(fault)}`;
}

type Calls = Pick<FaultRecord, 'nth' | 'times'>;

function parseCalls(text: string): Calls | undefined {
  const parts = /^([1-9]\d{0,8})(?:(\+)|x([1-9]\d{0,8}))?$/.exec(text);
  if (parts === null) return undefined;
  const [, nth, always, times] = parts;
  return {
    ...(nth === '1' ? {} : { nth: Number(nth) }),
    ...(always === undefined ? {} : { times: 'always' as const }),
    ...(times === undefined || times === '1' ? {} : { times: Number(times) }),
  };
}

function formatCalls({ nth = 1, times = 1 }: Calls): string {
  if (times === 'always') return `#${nth}+`;
  if (times !== 1) return `#${nth}x${times}`;
  return nth === 1 ? '' : `#${nth}`;
}

function parseStatus(at: SeamcallName, what: string): FaultRecord | FaultTextProblem {
  const [status = '', operand, ...rest] = what.split('|');
  if (!Object.hasOwn(statusCodes, status)) {
    return wrong('is no status of the TDX module', status, Object.keys(statusCodes));
  }
  const answer = status as StatusName;
  if (operand === undefined) return { at, answer };
  if (!Object.hasOwn(operandIds, operand) || rest.length > 0) {
    return wrong('is no operand of a status', operand, Object.keys(operandIds));
  }
  return { at, answer, operand: operand as OperandName };
}

function parseRequestFault(at: string, what: string): FaultRecord | FaultTextProblem {
  if (Object.hasOwn(errnoNumbers, what)) {
    return { at: at as RequestNameOfFault | FaultPoint, errno: what as ErrnoName };
  }
  const isStep = (faultPoints as readonly string[]).includes(at);
  if (isStep) return wrong('is no errno that KVM answers', what, Object.keys(errnoNumbers));
  const page = /^signal@(\d{1,9})$/.exec(what)?.[1];
  if (page !== undefined) {
    return at === 'KVM_TDX_INIT_MEM_REGION'
      ? { at, signalBeforePage: Number(page) }
      : wrong('can only be at KVM_TDX_INIT_MEM_REGION, which goes page by page', what);
  }
  const event = parseEvent(what);
  return event === undefined
    ? wrong('is neither an errno nor an event', what, [...Object.keys(errnoNumbers), ...eventNames])
    : { at: at as RequestNameOfFault, event };
}

const eventNames = [
  'signal@0',
  'package-offline',
  'package-online',
  'foreign-tds+1',
  'foreign-tds-1',
  'cgroup-max:0:/',
];

function parseEvent(text: string): MachineEvent | undefined {
  if (text === 'package-offline' || text === 'package-online') return { kind: text };
  const change = /^foreign-tds([+-][1-9]\d{0,8})$/.exec(text)?.[1];
  if (change !== undefined) return { kind: 'foreign-tds', change: Number(change) };
  const [, max, path] = /^cgroup-max:(\d{1,9}):(\/\S*)$/.exec(text) ?? [];
  if (max === undefined || path === undefined) return undefined;
  return { kind: 'cgroup-max', max: Number(max), path };
}

function formatWhat(fault: FaultRecord): string {
  if (isErrnoFault(fault)) return fault.errno;
  if (isSignalFault(fault)) return `signal@${fault.signalBeforePage}`;
  if (isLeafFault(fault)) {
    return fault.operand === undefined ? fault.answer : `${fault.answer}|${fault.operand}`;
  }
  return formatEvent(fault.event);
}

function formatEvent(event: MachineEvent): string {
  switch (event.kind) {
    case 'foreign-tds':
      return `foreign-tds${event.change > 0 ? '+' : ''}${event.change}`;
    case 'cgroup-max':
      return `cgroup-max:${event.max}:${event.path}`;
    default:
      return event.kind;
  }
}

function wrong(
  problem: string,
  word: string,
  candidates: readonly string[] = [],
): FaultTextProblem {
  return { problem, word, candidates };
}
