/**
 * The answer to a refused request: the check that refused it, or what is known of those that could
 * have, narrowed by the status word and by what is known of the host.
 */
import type { FailedLeaf } from '../../../../machines/td-lifecycle/index.ts';
import { errnosOf, isCheckName } from '../../../abi/kvm/checks/index.ts';
import type { ErrnoName } from '../../../abi/kvm/errno.ts';
import type { KernelAbi } from '../../../abi/kvm/kernels/record.ts';
import type { TdctlErrorCode } from '../../../errors/index.ts';
import { explainStatus, type StatusExplanation } from '../status/explain-status.ts';
import { leafByName } from '../status/leaves.ts';
import { answerOfCheck } from './check-notes.ts';
import { commonAnswers, severalChecks } from './common.ts';
import { defaultKernel, meansTheSameForAll, ownAnswer, requestChecks } from './index.ts';
import { type KnownFacts, narrow } from './narrow.ts';
import { checkOutsideOrders, isShared } from './numbered-checks.ts';
import type { NumberedCheck, RefusalAnswer, RequestFacts } from './request.ts';
import { withoutLog } from './simulated.ts';

export interface AskedRefusal {
  /** `KVM_TDX_INIT_VM`, or `KVM_ENABLE_CAP(KVM_CAP_SPLIT_IRQCHIP)`. */
  readonly request: string;
  /** `EINVAL`. */
  readonly errno: string;
  /** hw_error, where the kernel wrote it; 0n says that the module did not refuse. */
  readonly hwStatus?: bigint | undefined;
  readonly facts?: KnownFacts | undefined;
  /** Whose checks they are; absent: those of the default. */
  readonly kernel?: KernelAbi | undefined;
  /** The check that refused, where it is known: it decides. A name that the book does not have is none. */
  readonly check?: string | undefined;
  /** The host is simulated, so there is no kernel log to look at. */
  readonly isSimulated?: boolean | undefined;
  /** The leaf whose status was the reason. */
  readonly leaf?: FailedLeaf | undefined;
}

export interface RefusalExplanation {
  readonly request: string;
  readonly errno: string;
  readonly on: RequestFacts['on'] | undefined;
  /** The name of the kernel whose checks they are; undefined where they are none of KVM. */
  readonly kernel: string | undefined;
  /** Those that give this errno and are possible with this hwStatus; the one that refused, where it is known. */
  readonly checks: readonly NumberedCheck[];
  /** undefined: neither the request nor the errno is known. */
  readonly answer: RefusalAnswer | undefined;
  readonly status: StatusExplanation | undefined;
}

export function explainRequest(asked: AskedRefusal): RefusalExplanation {
  const { request, errno, hwStatus } = asked;
  const abi = asked.kernel ?? defaultKernel;
  const { on, checks, kernel } = requestChecks(request, abi);
  const decided = decidedCheck(asked.check, { checks, abi });
  const possible = decided === undefined ? possibleChecks(checks, asked) : [decided];
  const status =
    hwStatus === undefined || hwStatus === 0n ? undefined : statusOf(request, hwStatus);
  const isDecided = decided !== undefined || (status !== undefined && possible.length === 1);
  const answer =
    (isDecided ? answerOfOne(possible) : undefined) ??
    ownAnswer(request, errno) ??
    answerOfChecks(possible, { request, errno, abi });
  return {
    request,
    errno,
    on,
    kernel: kernel?.name,
    checks: possible,
    answer: answer && inPlace(narrow(withStatus(answer, status), asked.facts), asked),
    status,
  };
}

/** The status is said already where the kernel wrote it to the caller. */
function inPlace(
  answer: RefusalAnswer,
  { isSimulated, leaf, hwStatus }: AskedRefusal,
): RefusalAnswer {
  if (!isSimulated) return answer;
  return withoutLog(answer, hwStatus === undefined ? leaf : undefined);
}

function decidedCheck(
  name: string | undefined,
  { checks, abi }: { readonly checks: readonly NumberedCheck[]; readonly abi: KernelAbi },
): NumberedCheck | undefined {
  if (name === undefined || !isCheckName(name)) return undefined;
  return checks.find((check) => check.name === name) ?? checkOutsideOrders(name, abi);
}

function possibleChecks(
  checks: readonly NumberedCheck[],
  { errno, hwStatus }: AskedRefusal,
): readonly NumberedCheck[] {
  return checks.filter(
    (check) => errnosOf(check).includes(errno as ErrnoName) && isPossible(check, hwStatus),
  );
}

function isPossible({ hwError }: NumberedCheck, hwStatus: bigint | undefined): boolean {
  if (hwStatus === undefined) return true;
  return (hwStatus === 0n) === (hwError === undefined);
}

/**
 * The row where one is possible, or one besides those that many requests have; else what the errno
 * means in common, or the rows in one sentence.
 */
function answerOfChecks(
  possible: readonly NumberedCheck[],
  asked: { readonly request: string; readonly errno: string; readonly abi: KernelAbi },
): RefusalAnswer | undefined {
  const reachable = possible.filter(({ unreachable }) => !unreachable);
  const likely = reachable.length > 0 ? reachable : possible;
  const own = likely.filter((check) => !isShared(check));
  const common = commonAnswers[asked.errno as ErrnoName];
  return (
    answerOfOne(likely) ??
    answerOfOne(own) ??
    (own.length === 0 || meansTheSameForAll(asked.errno) ? common : undefined) ??
    answerOfSeveral(own.length > 0 ? own : likely, asked) ??
    common
  );
}

function answerOfOne([only, ...others]: readonly NumberedCheck[]): RefusalAnswer | undefined {
  if (only?.name === undefined || only.remedy === undefined || others.length > 0) return undefined;
  return answerOfCheck(only.name, { when: only.when, remedy: only.remedy });
}

/** More than these are not said in one sentence. */
const MAX_IN_WORDS = 3;

function answerOfSeveral(
  checks: readonly NumberedCheck[],
  { request, errno, abi }: { request: string; errno: string; abi: KernelAbi },
): RefusalAnswer | undefined {
  const answers = checks.flatMap((check) => answerOfOne([check]) ?? []);
  if (answers.length < 2) return undefined;
  const codes = new Set(answers.map(({ code }) => code));
  const [code = severalChecks.code] = codes.size === 1 ? codes : [];
  if (answers.length > MAX_IN_WORDS) {
    const words = request.replace(/[()]/g, ' ').trim();
    return {
      ...severalChecks,
      code,
      meaning: `one of ${answers.length} checks of ${abi.name} refused it`,
      next: `go through them: \`tdctl explain ${errno} ${words} --kernel ${abi.name}\``,
    };
  }
  return {
    ...severalChecks,
    code,
    meaning: answers.map(({ meaning }) => meaning).join(', or '),
    next: [...new Set(answers.map(({ next }) => next))].join('; or '),
  };
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
