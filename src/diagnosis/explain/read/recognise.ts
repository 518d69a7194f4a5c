/** What one line says: an answer for it, or for the status and the refusal that it holds. */
import type { KernelAbi } from '../../../abi/kvm/kernels/record.ts';
import type { Answer, ExplainOptions } from '../answer.ts';
import type { CheckInBook } from '../check-in-book.ts';
import { explainLine } from '../lines/index.ts';
import {
  type AskedRefusal,
  explainRequest,
  type RefusalExplanation,
} from '../requests/explain-refusal.ts';
import { moduleInitialization } from '../requests/host-requests.ts';
import { allRequestFacts, tellingErrnos } from '../requests/index.ts';
import { explainStatus, type StatusExplanation } from '../status/explain-status.ts';
import { errnoIn } from './errno-words.ts';
import { requestIn } from './request-words.ts';
import { bareStatusWordsIn, hwErrorIn, leafIn, statusWordsIn } from './status-words.ts';

/** One thing that a line says. */
export interface Finding {
  /** undefined: recognised, and in no table. */
  readonly answer: Answer | undefined;
  readonly status?: StatusExplanation | undefined;
  readonly refusal?: RefusalExplanation | undefined;
  readonly check?: CheckInBook | undefined;
}

/** A line without any of these says nothing about TDX: most lines of a log. */
const mayConcernTdx =
  /tdx|seam|hkid|KVM_|kvm[ :]|kvm_|INIT_|FINALIZE_VM|CREATE_VCPU|qom-type|memory-backend|vfio|x86\/tme|hibernation support|need to have online|reserved areas|RBP\)|MAX_VCPU|0xe011|hw_error|QMP loop|launch security|process exited|define domain|cpus requested|failed to get registers|quote|Hardware RNG|logical CPUs|major_version/i;

interface RecogniseOptions extends ExplainOptions {
  /** By a person: status words and names may then stand alone. */
  readonly typed?: boolean;
}

export function recognise(
  line: string,
  { typed = false, kernel }: RecogniseOptions = {},
): readonly Finding[] {
  if (!typed && !mayConcernTdx.test(line)) return [];
  const bySentence = explainLine(line);
  if (bySentence) return [{ answer: bySentence }];
  const words = typed ? bareStatusWordsIn(line) : statusWordsOfLog(line);
  const byWord = explainWords(words, line);
  const request = requestIn(line);
  const errno = request === undefined ? undefined : errnoIn(line);
  if (request === undefined) return [...byWord, ...explainEncryptOp(line, kernel)];
  if (errno === undefined) return byWord;
  if (request === moduleInitialization) {
    // Its errno follows from the SEAMCALL, which people quote in the same breath.
    return [...byWord, refusalFinding({ request, errno })];
  }
  return [refusalFinding({ request, errno, kernel, hwStatus: hwErrorIn(line) ?? words[0] })];
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

// Logs are full of hex numbers: only those that a SEAMCALL or hw_error gave are status words.
function statusWordsOfLog(line: string): readonly bigint[] {
  return /seamcall|hw_error|\btdx\b|seamldr/i.test(line) ? statusWordsIn(line) : [];
}
