/**
 * A simulated host has no kernel log. What one would look up there is known at once: which leaf of the
 * TDX module failed, and with which status.
 */
import type { FailedLeaf } from '../../../../machines/td-lifecycle/index.ts';
import { formatStatus } from '../../../abi/tdx/status.ts';
import { explainStatus } from '../status/explain-status.ts';
import { leafByName } from '../status/leaves.ts';

interface Advice {
  readonly meaning: string;
  readonly next: string;
}

/** Says the answer without the log; an answer that needs none stays as it is. */
export function withoutLog<Answer extends Advice>(
  answer: Answer,
  leaf: FailedLeaf | undefined,
): Answer {
  const meaning = withoutAsides(answer.meaning);
  const { next } = answer;
  return {
    ...answer,
    meaning: leaf === undefined ? meaning : `${meaning}; ${leafText(leaf)}`,
    next: sendsToLog(next) ? adviceOn(leaf) : next,
  };
}

function leafText({ name, status }: FailedLeaf): string {
  return `${name} answered ${formatStatus(BigInt(status))}`;
}

export function sendsToLog(text: string): boolean {
  return /kernel log|dmesg/.test(text);
}

/** An aside tells by which line of the log it can be known. */
function withoutAsides(text: string): string {
  return text.replace(/ \([^()]*(?:kernel log|dmesg)[^()]*\)/g, '');
}

function adviceOn(leaf: FailedLeaf | undefined): string {
  if (leaf === undefined) return 'look at the calls before it: `--trace FILE` writes them all';
  const next = explainStatus(BigInt(leaf.status), leafByName(leaf.name)).answer?.next;
  if (next !== undefined && !sendsToLog(next)) return next;
  return `see what the status means: \`tdctl explain ${leaf.status}\``;
}
