/** What a guest must find after a call, and what it found. */
import { tdVmCallStatuses } from '../../abi/tdx/tdvmcall.ts';
import type { TdVmCallAnswer } from '../../simulator/index.ts';
import type { CallStatus, GuestAction, InfoExpectation } from './run-script.ts';

export interface Expectation {
  /** What was expected, in words such as `success` or `r11=0x2`. */
  readonly expected: string;
  judge(answer: TdVmCallAnswer): { readonly got: string; readonly met: boolean };
}

const statusNames: Readonly<Record<CallStatus, keyof typeof tdVmCallStatuses>> = {
  success: 'SUCCESS',
  retry: 'RETRY',
  invalidOperand: 'INVALID_OPERAND',
  alignError: 'ALIGN_ERROR',
  subfuncUnsupported: 'SUBFUNC_UNSUPPORTED',
};

/** @returns undefined where whatever comes is right. */
export function expectationOf(action: GuestAction): Expectation | undefined {
  switch (action.do) {
    case 'in':
    case 'mmioRead':
      return registers({ status: 'success', r11: action.expect }, action.expect);
    case 'mapGpa':
    case 'getQuote':
    case 'setupEventNotifyInterrupt':
      return registers({ status: action.expect }, action.expect);
    case 'getTdVmCallInfo':
      return registers(action.expect ?? {}, action.expect);
    default:
      return undefined;
  }
}

/** @param asked undefined where the script expects nothing */
function registers(wanted: InfoExpectation, asked: unknown): Expectation | undefined {
  const { status, ...values } = wanted;
  const fields = Object.entries(values).filter(([, value]) => value !== undefined);
  if (asked === undefined || (status === undefined && fields.length === 0)) return undefined;
  const names = fields.map(([name]) => name as keyof typeof values);
  const shown = (word: string, of: (name: keyof typeof values) => bigint | undefined) =>
    [
      ...(status === undefined ? [] : [word]),
      ...names.map((name) => `${name}=0x${(of(name) ?? 0n).toString(16)}`),
    ].join(' ');
  const statusMet = (r10: bigint) =>
    status === undefined || r10 === tdVmCallStatuses[statusNames[status]];
  return {
    expected: shown(status ?? '', (name) => values[name]),
    judge: (answer) => ({
      got: shown(statusWord(answer.r10), (name) => answer[name]),
      met: statusMet(answer.r10) && names.every((name) => (answer[name] ?? 0n) === values[name]),
    }),
  };
}

function statusWord(r10: bigint): string {
  const known = Object.entries(statusNames).find(([, name]) => tdVmCallStatuses[name] === r10);
  return known?.[0] ?? `0x${r10.toString(16)}`;
}
