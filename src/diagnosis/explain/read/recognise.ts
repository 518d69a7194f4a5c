/** What a line says besides the messages of the table: the status word and the refused request in it. */
import type { KernelAbi } from '../../../abi/kvm/kernels/record.ts';
import type { Answer, ExplainOptions } from '../answer.ts';
import type { CheckInBook } from '../check-in-book.ts';
import type { Message } from '../messages/message.ts';
import {
  type AskedRefusal,
  explainRequest,
  type RefusalExplanation,
} from '../requests/explain-refusal.ts';
import { moduleInitialization } from '../requests/host-requests.ts';
import { allRequestFacts, tellingErrnos } from '../requests/index.ts';
import { explainStatus, type StatusExplanation } from '../status/explain-status.ts';
import { errnoIn, wordsOfErrnos } from './errno-words.ts';
import { requestIn, wordsOfRequests } from './request-words.ts';
import {
  bareStatusWordsIn,
  hwErrorIn,
  leafIn,
  statusWordsIn,
  wordsOfStatus,
} from './status-words.ts';

/** One thing that a line says. */
export interface Finding {
  /** undefined: recognised, and in no table. */
  readonly answer: Answer | undefined;
  readonly status?: StatusExplanation | undefined;
  readonly refusal?: RefusalExplanation | undefined;
  readonly check?: CheckInBook | undefined;
  /** The row of the table that it is said by. */
  readonly message?: Message | undefined;
}

/** A line of a log without any of these holds neither a status word nor a request. */
export const freeWords: readonly string[] = [
  ...wordsOfRequests,
  'seamcall',
  'seamldr',
  'tdh',
  'vp_enter_ret',
  'hw_error',
  'hw_errors',
];

/** And without any of these near it, a request is only named, and nothing is said of how it ended. */
export const tellingWords: readonly string[] = [...wordsOfErrnos, ...wordsOfStatus];

export interface RecogniseOptions extends ExplainOptions {
  /** By a person: status words and names may then stand alone. */
  readonly typed: boolean;
}

export function recognise(line: string, { typed, kernel }: RecogniseOptions): readonly Finding[] {
  const words = typed ? bareStatusWordsIn(line) : statusWordsOfLog(line);
  const byWord = explainWords(words, line);
  const request = requestIn(line, { typed });
  const errno = request === undefined ? undefined : errnoIn(line);
  if (request === undefined) return [...byWord, ...explainEncryptOp(line, kernel)];
  if (errno === undefined) return byWord.length > 0 ? byWord : withoutErrno(line, request);
  if (request === moduleInitialization) {
    // Its errno follows from the SEAMCALL, which people quote in the same breath.
    return [...byWord, refusalFinding({ request, errno })];
  }
  return [refusalFinding({ request, errno, kernel, hwStatus: hwErrorIn(line) ?? words[0] })];
}

export const errnoNotShownId = 'kvm.errno-not-shown';

export const errnoNotShown: Answer = {
  id: errnoNotShownId,
  meaning: 'the request failed, and the line does not show the errno, which tells why',
  next: 'look for the rest of the line: QEMU prints the words of the errno at its end',
};

/** "failed" is said, and nothing of why: hw_errors 0 is then no success. */
function withoutErrno(line: string, request: string): readonly Finding[] {
  if (!/\bTDX ioctl \w+ (?:failed|return)/i.test(line)) return [];
  const byKernel =
    hwErrorIn(line) === 0n ? ' (hw_errors 0: the kernel refused it, not the module)' : '';
  const meaning = `${request} failed${byKernel}, and the line does not show the errno, which tells why`;
  return [{ answer: { ...errnoNotShown, meaning } }];
}

/** strace shows the ioctl, not the command in it: every command that answers so. */
function explainEncryptOp(line: string, kernel: KernelAbi | undefined): readonly Finding[] {
  if (!/\bKVM_MEMORY_ENCRYPT_OP\b/i.test(line)) return [];
  const errno = errnoIn(line);
  if (errno === undefined) return [];
  return allRequestFacts
    .map(({ request }) => request)
    .filter(
      (request) => request.startsWith('KVM_TDX_') && tellingErrnos(request, kernel).has(errno),
    )
    .map((request) => refusalFinding({ request, errno, kernel }));
}

function explainWords(words: readonly bigint[], line: string): readonly Finding[] {
  const leaf = leafIn(line);
  return words.map((word) => {
    const status = explainStatus(word, leaf);
    return { answer: status.answer, status };
  });
}

export function refusalFinding(asked: AskedRefusal): Finding {
  const refusal = explainRequest(asked);
  return { answer: refusal.answer, refusal, status: refusal.status };
}

// Logs are full of hex numbers: only those that a SEAMCALL or hw_error gave are status words. 0 is success,
// which is none where something failed.
function statusWordsOfLog(line: string): readonly bigint[] {
  if (!/seamcall|hw_error|\btdx\b|seamldr|\btdh[._]|vp_enter_ret/i.test(line)) return [];
  return statusWordsIn(line).filter((word) => word !== 0n);
}
