/** The answer to a refused request, narrowed by the status word and by what is known of the host. */
import type { ErrnoName } from '../../../abi/kvm/errno.ts';
import type { TdctlErrorCode } from '../../../errors/index.ts';
import { explainStatus, type StatusExplanation } from '../status/explain-status.ts';
import { leafByName } from '../status/leaves.ts';
import { commonAnswers } from './common.ts';
import { factsOf } from './index.ts';
import { type KnownFacts, narrow } from './narrow.ts';
import type { Check, RefusalAnswer, RequestFacts } from './request.ts';

export interface AskedRefusal {
  /** `KVM_TDX_INIT_VM`, or `KVM_ENABLE_CAP(KVM_CAP_SPLIT_IRQCHIP)`. */
  readonly request: string;
  /** `EINVAL`. */
  readonly errno: string;
  /** hw_error, where the kernel wrote it; 0n says that the module did not refuse. */
  readonly hwStatus?: bigint | undefined;
  readonly facts?: KnownFacts | undefined;
  /** The name of its ABI; absent: Linux 7.3. */
  readonly kernel?: string | undefined;
}

export interface RefusalExplanation {
  readonly request: string;
  readonly errno: string;
  readonly on: RequestFacts['on'] | undefined;
  /** Rows of the request that give this errno, and are possible with this hwStatus. */
  readonly checks: readonly Check[];
  /** undefined: neither the request nor the errno is known. */
  readonly answer: RefusalAnswer | undefined;
  readonly status: StatusExplanation | undefined;
}

export function explainRequest(asked: AskedRefusal): RefusalExplanation {
  const { request, errno, hwStatus } = asked;
  const facts = factsOf(request, asked.kernel);
  const status =
    hwStatus === undefined || hwStatus === 0n ? undefined : statusOf(request, hwStatus);
  const checks = (facts?.checks ?? []).filter((check) => check.errno === errno);
  const possible = checks.filter((check) => isPossible(check, hwStatus));
  const own = facts?.answers[errno as ErrnoName] ?? commonAnswers[errno as ErrnoName];
  const answer = own && withStatus(withoutStepsOf(own, checks, possible), status);
  return {
    request,
    errno,
    on: facts?.on,
    checks: possible,
    answer: answer && narrow(answer, asked.facts),
    status,
  };
}

/** A cause that names its step, `… (step 28)`, goes when that step cannot have decided. */
function withoutStepsOf(
  answer: RefusalAnswer,
  checks: readonly Check[],
  possible: readonly Check[],
): RefusalAnswer {
  const ruledOut = checks.filter((check) => !possible.includes(check));
  if (answer.causes === undefined || ruledOut.length === 0) return answer;
  const causes = answer.causes.filter(
    (cause) => !ruledOut.some(({ step }) => cause.endsWith(`(step ${step})`)),
  );
  return { ...answer, causes };
}

function isPossible({ hwError }: Check, hwStatus: bigint | undefined): boolean {
  if (hwStatus === undefined) return true;
  return hwStatus === 0n ? hwError !== 'module-status' : hwError === 'module-status';
}

/** The two commands that write hw_error make one SEAMCALL each that sets it. */
const leafOfRequest: Readonly<Record<string, string>> = {
  KVM_TDX_INIT_VM: 'TDH.MNG.INIT',
  KVM_TDX_FINALIZE_VM: 'TDH.MR.FINALIZE',
};

function statusOf(request: string, hwStatus: bigint): StatusExplanation {
  const leaf = leafOfRequest[request];
  return explainStatus(hwStatus, leaf === undefined ? undefined : leafByName(leaf));
}

/** Where the module said what it refuses, its answer is the better one; the code stays. */
function withStatus(own: RefusalAnswer, status: StatusExplanation | undefined): RefusalAnswer {
  if (status?.answer === undefined) return own;
  return { ...status.answer, code: codeByAnswer[status.answer.id] ?? own.code };
}

const codeByAnswer: Readonly<Record<string, TdctlErrorCode>> = {
  'td-params.max-vcpus-refused': 'TDCTL_E_VCPU_LIMIT',
};
