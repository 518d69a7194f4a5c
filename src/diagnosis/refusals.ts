/** What a refused request means for the person who asked: the words of `tdctl run` for it. */
import type { TdctlErrorCode } from '../errors/index.ts';
import { type AskedRefusal, explainRequest } from './explain/requests/explain-refusal.ts';

export type { KnownFacts } from './explain/requests/narrow.ts';

export interface Refusal {
  /** Stable id of the answer: `tdctl explain ID` says more. */
  readonly id: string;
  readonly code: TdctlErrorCode;
  /** What it means here. One sentence without a full stop. */
  readonly meaning: string;
  readonly hint: string;
}

const unknown: Refusal = {
  id: 'kvm.unknown-refusal',
  code: 'TDCTL_E_IOCTL',
  meaning: 'the kernel refused it',
  hint: 'run again with --log-level debug to see every request before it',
};

export function explainRefusal(asked: AskedRefusal): Refusal {
  const { answer } = explainRequest(asked);
  if (answer === undefined) return unknown;
  const { id, code, meaning, next } = answer;
  return { id, code, meaning, hint: next };
}
