/** What a refused call means: the trace's own, or one that the simulated kernel would refuse. */
import {
  explainRequest,
  type RefusalExplanation,
} from '../../../diagnosis/explain/requests/explain-refusal.ts';
import { allRequestFacts } from '../../../diagnosis/explain/requests/index.ts';
import type { Check, RequestFacts } from '../../../diagnosis/explain/requests/request.ts';
import type { CallOutcome } from '../../record.ts';
import { callText } from '../call-text.ts';
import type { LintFinding, Severity } from '../finding.ts';
import { circumstances } from '../replay/replay.ts';
import { errnoOf, succeeded, type TracedCall } from '../traced.ts';
import type { Situation } from './situation.ts';
import { type DecidedStep, decidedStep } from './steps.ts';

type Refused = Extract<CallOutcome, { readonly errno: string }>;

export interface Judged {
  readonly call: TracedCall;
  /** What the simulated kernel answers; undefined: it was not asked. */
  readonly simulated: CallOutcome | undefined;
  readonly situation: Situation;
  /** `upstream-7.3 on sim:spr-1.5`. */
  readonly kernelName: string;
}

export interface Refusal {
  readonly finding: LintFinding;
  /** The trace shows which check of the kernel it was. */
  readonly isDecided: boolean;
}

/** undefined: the call was taken, or its refusal is part of how things are done. */
export function judgeRefusal(judged: Judged): Refusal | undefined {
  const { call, simulated } = judged;
  const { request } = call.record;
  if (succeeded(call)) {
    if (simulated === undefined || !('errno' in simulated)) return undefined;
    const isJudged = !isUsual(request, simulated.errno) && factsAbout(call) !== undefined;
    return isJudged ? wouldBeRefused(judged, simulated) : undefined;
  }
  const errno = errnoOf(call);
  if (errno === undefined || isUsual(request, errno)) return undefined;
  return wasRefused(judged, call.record.outcome as Refused);
}

/** The way to learn how much room is needed, and how a vCPU is woken. */
function isUsual(request: string, errno: string): boolean {
  if (errno === 'E2BIG') return request !== 'KVM_TDX_INIT_VM';
  if (request !== 'KVM_RUN') return false;
  // The exit says where the guest touched what the VMM has to convert.
  return errno === 'EINTR' || errno === 'EAGAIN' || errno === 'EFAULT';
}

function wouldBeRefused(judged: Judged, { errno }: Refused): Refusal {
  const problem = `this was taken, and ${judged.kernelName} would refuse it: ${errno}`;
  return refusal(judged, { errno, problem, severity: severityOf(judged.call, errno) });
}

function wasRefused(judged: Judged, outcome: Refused): Refusal {
  const { call, simulated, kernelName } = judged;
  const { errno } = outcome;
  const severity = severityOf(call, errno);
  const taken = simulated !== undefined && 'value' in simulated;
  const problem = taken ? `refused: ${errno}; ${kernelName} would take it` : `refused: ${errno}`;
  return refusal(judged, { errno, problem, severity, hwError: outcome.hwError });
}

/** Without these a TD can be had all the same, or they are there to be asked for in vain. */
const optional: ReadonlySet<string> = new Set([
  'KVM_PRE_FAULT_MEMORY',
  'KVM_TDX_TERMINATE_VM',
  'KVM_CHECK_EXTENSION',
  'KVM_ENABLE_CAP',
]);

/** What a TD is made of, or cannot run without. */
const essential: ReadonlySet<string> = new Set([
  'KVM_CREATE_VM',
  'KVM_CREATE_VCPU',
  'KVM_CREATE_IRQCHIP',
  'KVM_CREATE_GUEST_MEMFD',
  'KVM_SET_USER_MEMORY_REGION',
  'KVM_SET_USER_MEMORY_REGION2',
  'KVM_SET_MEMORY_ATTRIBUTES',
  'KVM_SET_CPUID2',
  'KVM_SET_TSC_KHZ',
  'KVM_MEMORY_ENCRYPT_OP',
  'KVM_RUN',
]);

const neededCaps: ReadonlySet<unknown> = new Set([
  'KVM_CAP_SPLIT_IRQCHIP',
  'KVM_CAP_EXIT_HYPERCALL',
  'KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM',
]);

function severityOf({ record, argsUnknown }: TracedCall, errno: string): Severity {
  const { request, args } = record;
  if (request === 'KVM_ENABLE_CAP' && (argsUnknown || neededCaps.has(args.cap))) return 'error';
  if (optional.has(request)) return 'note';
  if (!essential.has(request) && !request.startsWith('KVM_TDX_')) return 'note';
  return circumstances.has(errno) ? 'warning' : 'error';
}

interface Said {
  readonly errno: string;
  readonly problem: string;
  readonly severity: Severity;
  readonly hwError?: string | undefined;
}

function refusal({ call, situation }: Judged, said: Said): Refusal {
  const { errno, hwError } = said;
  const request = requestName(call);
  const facts = factsAbout(call);
  const hwStatus = hwError === undefined ? undefined : BigInt(hwError);
  const explained = explainRequest({ request, errno, hwStatus });
  const decided = decidedStep({ request, errno }, situation);
  const finding: LintFinding = {
    id: (facts && explained.answer?.id) ?? 'call.refused',
    severity: said.severity,
    line: call.line,
    call: callText(call),
    problem: said.problem,
    kernel: facts && kernelSays(explained, decided),
    remedy: decided?.remedy ?? (facts && explained.answer?.next),
    inferred: call.inferred,
    count: 1,
  };
  return { finding, isDecided: decided !== undefined };
}

/**
 * What `tdctl explain` has of the request; undefined for those that are not about TDs, and for
 * capabilities of which the simulated kernel need not know.
 */
function factsAbout(call: TracedCall): RequestFacts | undefined {
  const name = requestName(call);
  return allRequestFacts.find(({ request }) => request === name);
}

/** As `tdctl explain` names it. */
function requestName({ record }: TracedCall): string {
  const { request, args } = record;
  return request === 'KVM_ENABLE_CAP' && typeof args.cap === 'string'
    ? `KVM_ENABLE_CAP(${args.cap})`
    : request;
}

/** The step that decided where it is known, the meaning where several could have. */
function kernelSays(
  { checks, answer, status }: RefusalExplanation,
  decided: DecidedStep | undefined,
): string | undefined {
  const possible = checks.filter((check) => check.unreachable !== true);
  const own = possible.filter(({ step }) => step === decided?.step);
  const [only, ...others] = own.length > 0 ? own : possible.filter(({ step }) => step > 0);
  const word = status?.answer?.meaning;
  if (word !== undefined) return word;
  if (only !== undefined && others.length === 0) {
    return stepText(only, decided?.step === only.step ? decided.detail : undefined);
  }
  return answer?.meaning;
}

function stepText({ step, when }: Check, detail: string | undefined): string {
  return `step ${step}: ${when}${detail === undefined ? '' : ` (${detail})`}`;
}
