/** Judges what a refused call means, be the refusal in the trace or one of the simulated kernel. */
import { book, type CheckName, errnosOf, isCheckName } from '../../abi/kvm/checks/index.ts';
import { hasMaxVcpusCap, type KernelAbi, stepOf } from '../../abi/kvm/kernels/record.ts';
import { explainRequest } from '../../diagnosis/explain/requests/explain-refusal.ts';
import { isExplained } from '../../diagnosis/explain/requests/index.ts';
import { type KnownFacts, narrowing } from '../../diagnosis/explain/requests/narrow.ts';
import { sendsToLog } from '../../diagnosis/explain/requests/simulated.ts';
import type { CallOutcome, CallRecord, RefusedOutcome } from '../record.ts';
import { callText } from './call-text.ts';
import { bookRequest, hasRows, requestName } from './checked-request.ts';
import { isCircumstance } from './circumstances.ts';
import type { LintFinding, Severity } from './finding.ts';
import type { TracedCall } from './traced.ts';

export interface Judged {
  readonly call: TracedCall;
  /** Answer of the simulated kernel, or undefined where it was not asked. */
  readonly simulated: CallOutcome | undefined;
  readonly kernelAbi: KernelAbi;
  readonly hostName: string;
  /** The trace was made on a simulated host, which has no kernel log. */
  readonly isSimulated: boolean;
  /**
   * Tells which of the call's arguments are wrong, for a check that looks at several. Each is a clause
   * without a full stop.
   */
  readonly problemsOf: (call: TracedCall, check: CheckName) => readonly string[];
}

export interface Refusal {
  readonly finding: LintFinding;
  /** Undefined where the trace does not show which check of the kernel refused. */
  readonly check: CheckName | undefined;
}

/** Returns undefined when the call was taken, or when its refusal is part of how things are done. */
export function judgeRefusal(judged: Judged): Refusal | undefined {
  const { simulated, kernelAbi, hostName } = judged;
  const { record } = judged.call;
  const { outcome } = record;
  const kernelName = `${kernelAbi.name} on ${hostName}`;
  if ('interrupted' in outcome) return undefined;
  if ('errno' in outcome) {
    if (isUsual(record.request, outcome.errno)) return undefined;
    const taken = simulated !== undefined && 'value' in simulated;
    const others = taken ? `; ${kernelName} would take it` : '';
    return refusal(judged, outcome, `refused: ${outcome.errno}${others}`);
  }
  if (simulated === undefined || !('errno' in simulated)) return undefined;
  if (isUsual(record.request, simulated.errno) || !hasRows(record)) return undefined;
  const problem = `this was taken, and ${kernelName} would refuse it: ${simulated.errno}`;
  return refusal(judged, simulated, problem);
}

/** A program learns from such a refusal how much room it needs, or has woken a vCPU on purpose. */
function isUsual(request: string, errno: string): boolean {
  if (errno === 'E2BIG') return /^KVM_(TDX_)?(GET_|CAPABILITIES)/.test(request);
  if (request !== 'KVM_RUN') return false;
  // The EFAULT of KVM_RUN comes with an exit that says where the guest touched what the VMM has to
  // convert.
  return errno === 'EINTR' || errno === 'EAGAIN' || errno === 'EFAULT';
}

function refusal(judged: Judged, refused: RefusedOutcome, problem: string): Refusal {
  const { call } = judged;
  const check = decidingCheck(judged, refused);
  const { id, kernel, source, remedy } = explained(judged, refused, check);
  const finding: LintFinding = {
    id,
    severity: severityOf(judged, { ...refused, check }),
    line: call.line,
    call: callText(call),
    problem,
    kernel,
    source,
    remedy,
    inferred: call.inferred,
    count: 1,
  };
  return { finding, check };
}

/**
 * Either the trace or the simulated kernel names the check, or no other check of this kernel answers
 * so.
 */
function decidingCheck(
  { call, simulated, kernelAbi }: Judged,
  { errno, check, hwError }: RefusedOutcome,
): CheckName | undefined {
  if (check !== undefined) return isCheckName(check) ? check : undefined;
  if (simulated !== undefined && 'errno' in simulated && simulated.errno === errno) {
    if (simulated.check !== undefined) return simulated.check as CheckName;
  }
  const request = bookRequest(call.record);
  if (request === undefined) return undefined;
  const [only, ...others] = kernelAbi.checks[request].filter(
    (each) =>
      stepOf(kernelAbi, request, each) !== undefined &&
      !kernelAbi.unreachable.includes(each) &&
      errnosOf(book[each]).some((known) => known === errno) &&
      (hwError === undefined || book[each].hwError !== undefined),
  );
  return others.length === 0 ? only : undefined;
}

type Words = Pick<LintFinding, 'id' | 'kernel' | 'remedy' | 'source'>;

/**
 * Explains the refusal by the row of the book, or by what the errno means where several rows give it.
 */
function explained(
  judged: Judged,
  { errno, hwError }: RefusedOutcome,
  check: CheckName | undefined,
): Words {
  const { record } = judged.call;
  const request = requestName(record);
  const hwStatus = hwError === undefined ? undefined : BigInt(hwError);
  const { answer, status } = explainRequest({
    request,
    errno,
    hwStatus,
    kernel: judged.kernelAbi,
    isSimulated: judged.isSimulated,
  });
  if (check === undefined) {
    const known = isExplained(request) ? answer : undefined;
    const { id = 'call.refused', meaning, next } = known ?? {};
    return { id, kernel: meaning, remedy: next, source: undefined };
  }
  const { source } = book[check];
  const problems = judged.problemsOf(judged.call, check);
  // No trace has reserved fields, but max_vcpus shows whose struct it was, as `tdctl exec` says.
  const likely = check === 'init-vm.reserved' ? narrowing(check, factsOf(record)) : undefined;
  const answered =
    status?.answer?.id === 'td-params.max-vcpus-refused' && lacksMaxVcpus(judged)
      ? recordedWithoutIt
      : status?.answer;
  const remedy = (answered ?? likely)?.next ?? book[check].remedy;
  const when = likely?.meaning ?? book[check].when;
  return {
    id: check,
    kernel: answered?.meaning ?? checkText(judged, { check, when, problems }),
    remedy: judged.isSimulated && sendsToLog(remedy) ? lookAtLeaves : remedy,
    source,
  };
}

const lookAtLeaves = 'find the leaf that failed: it is in the trace, before this line';

/** The trace shows max_vcpus where its kernel has the field. */
function factsOf({ args: { max_vcpus: given } }: CallRecord): KnownFacts {
  return { initVmMaxVcpus: given === undefined ? undefined : Number(given) };
}

/** The kernel of the trace may have no such field, and so the trace shows what is none of the program's doing. */
function lacksMaxVcpus({ call, kernelAbi }: Judged): boolean {
  return kernelAbi.maxVcpus.inInitVm && call.record.args.max_vcpus === undefined;
}

const recordedWithoutIt = {
  meaning:
    'this kernel has max_vcpus in struct kvm_tdx_init_vm, and the trace gives none, as it was recorded ' +
    'under a kernel without that field',
  next: 'run the VMM under this kernel, `tdctl exec --kernel`, to see what it gives there',
};

const mostProblems = 4;

function checkText(
  { call, kernelAbi }: Judged,
  {
    check,
    when,
    problems,
  }: { readonly check: CheckName; readonly when: string; readonly problems: readonly string[] },
): string {
  const request = bookRequest(call.record);
  const step = request === undefined ? undefined : stepOf(kernelAbi, request, check);
  const more = problems.length - mostProblems;
  const details = [...problems.slice(0, mostProblems), ...(more > 0 ? [`${more} more`] : [])];
  const place = step === undefined ? '' : `step ${step}: `;
  return `${place}${when}${details.length === 0 ? '' : ` (${details.join('; ')})`}`;
}

/** A TD can be had without these, or they may be asked for in vain. */
const optional: ReadonlySet<string> = new Set([
  'KVM_PRE_FAULT_MEMORY',
  'KVM_TDX_TERMINATE_VM',
  'KVM_CHECK_EXTENSION',
  'KVM_ENABLE_CAP',
]);

/** A TD is made of these, or cannot run without them. */
const essential: ReadonlySet<string> = new Set([
  'KVM_CREATE_VM',
  'KVM_CREATE_VCPU',
  'KVM_CREATE_IRQCHIP',
  'KVM_CREATE_GUEST_MEMFD',
  'KVM_SET_USER_MEMORY_REGION',
  'KVM_SET_USER_MEMORY_REGION2',
  'KVM_SET_MEMORY_ATTRIBUTES',
  'KVM_SET_MEMORY_ATTRIBUTES2',
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

function severityOf(
  { call: { record, argsUnknown }, kernelAbi }: Judged,
  refused: Pick<RefusedOutcome, 'errno'> & { readonly check: CheckName | undefined },
): Severity {
  const { request } = record;
  if (request === 'KVM_ENABLE_CAP' && (argsUnknown || needsCap(record, kernelAbi))) return 'error';
  if (optional.has(request)) return 'note';
  if (!essential.has(request) && !request.startsWith('KVM_TDX_')) return 'note';
  return isCircumstance(refused) ? 'warning' : 'error';
}

function needsCap({ args: { cap } }: CallRecord, kernelAbi: KernelAbi): boolean {
  return neededCaps.has(cap) || (cap === 'KVM_CAP_MAX_VCPUS' && hasMaxVcpusCap(kernelAbi));
}
