/** What stopped a step, in words: those of every printer are made here. */
import type { Refusal, StepError } from '../../machines/td-lifecycle/index.ts';
import { kernelAbiNamed } from '../abi/kvm/kernels/index.ts';
import { requestWith } from '../abi/kvm/requests.ts';
import { errorCodeOf, type TdctlErrorCode } from '../errors/index.ts';
import type { HostFacts } from '../host/facts.ts';
import type { Rank } from './explain/answer.ts';
import { type AskedRefusal, explainRequest } from './explain/requests/explain-refusal.ts';

export interface ExplainedRefusal {
  /** Stable id of the answer: `tdctl explain ID` says more. */
  readonly id: string;
  readonly code: TdctlErrorCode;
  /** What it means here. One sentence without a full stop. */
  readonly meaning: string;
  readonly hint: string;
  readonly rank: Rank;
}

const unknown: ExplainedRefusal = {
  id: 'kvm.unknown-refusal',
  code: 'TDCTL_E_IOCTL',
  meaning: 'the kernel refused it',
  hint: 'run again with --log-level debug to see every request before it',
  rank: 'cause',
};

export function explainRefusal(asked: AskedRefusal): ExplainedRefusal {
  const { answer } = explainRequest(asked);
  if (answer === undefined) return unknown;
  const { id, code, meaning, next, rank = 'cause' } = answer;
  return { id, code, meaning, hint: next, rank };
}

/** A step's error as it is printed: the words, and for a refusal the data that they are made from. */
export interface ErrorInWords extends Partial<Omit<Refusal, 'facts'>> {
  readonly step: string;
  readonly code: TdctlErrorCode;
  readonly message: string;
  readonly details?: readonly string[] | undefined;
  readonly hint?: string | undefined;
}

/** @param host where the step was tried: its kernel chooses the words, its numbers narrow them. */
export function wordsOf(error: StepError, host: HostFacts | undefined): ErrorInWords {
  if (error.refusal === undefined) return { ...error, code: errorCodeOf(error.code) };
  const { facts, ...answered } = error.refusal;
  const { capability, errno, hwStatus, check, leaf } = answered;
  const request = requestWith(answered.request, capability);
  const { code, meaning, hint } = explainRefusal({
    request,
    errno,
    hwStatus: hwStatus === undefined ? undefined : BigInt(hwStatus),
    kernel: kernelAbiNamed(host?.kernel.rules),
    check,
    leaf,
    // A soft host has KVM's own refusals too: those without a check.
    isSimulated: host?.kind === 'sim' || check !== undefined || leaf !== undefined,
    facts: { host, ...facts },
  });
  const answer = hwStatus === undefined ? errno : `${errno}, TDX status ${hwStatus}`;
  const message = `${request} answered ${answer}: ${meaning}`;
  return { step: error.step, code, message, hint, ...answered };
}
