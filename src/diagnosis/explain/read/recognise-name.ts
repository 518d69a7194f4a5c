/** What a person may type that stands in no log: an id, a status or operand name, a lone errno. */

import { isCheckName } from '../../../abi/kvm/checks/index.ts';
import { type ErrnoName, errnoNumbers } from '../../../abi/kvm/errno.ts';
import {
  type OperandName,
  operandIds,
  type StatusName,
  statusCodes,
  statusWord,
} from '../../../abi/tdx/status.ts';
import { allAnswers } from '../all-answers.ts';
import type { Answer, ExplainOptions } from '../answer.ts';
import { checkInBook } from '../check-in-book.ts';
import { answerOfLoneCode } from '../messages/codes.ts';
import { codeTables } from '../messages/index.ts';
import { commonAnswers, severalChecks } from '../requests/common.ts';
import { allRequestFacts, tellingErrnos } from '../requests/index.ts';
import { explainStatus, statusRows, wordOfStatusName } from '../status/explain-status.ts';
import type { Leaf } from '../status/leaves.ts';
import { errnoIn, errnoTexts } from './errno-words.ts';
import { type Finding, refusalFinding } from './recognise.ts';
import { requestIn } from './request-words.ts';
import { leafIn } from './status-words.ts';

export function recogniseName(text: string, options: ExplainOptions): readonly Finding[] {
  const name = text.trim().toLowerCase();
  const byId = allAnswers().find(({ id }) => id === name);
  if (byId) return [{ answer: byId, check: isCheckName(name) ? checkInBook(name) : undefined }];
  const ofCode = answerOfLoneCode(codeTables, text);
  if (ofCode) return [{ answer: ofCode }];
  const status = statusNamed(text) ?? operandNamed(text);
  if (status) return [status];
  const request = requestIn(text, { typed: true });
  if (request !== undefined) return isName(text) ? everyErrnoOf(request, text, options) : [];
  const errno = errnoIn(text);
  if (errno !== undefined) return isErrno(text, errno) ? requestsThatAnswer(errno, options) : [];
  const leaf = leafIn(text);
  return leaf === undefined ? [] : everyStatusOf(leaf);
}

/** A sentence is no name, and what it says is not known by a name in it. */
function isName(text: string): boolean {
  return text.trim().split(/\s+/).length <= 3;
}

/** EINVAL, -22, "Invalid argument", and nothing else. */
function isErrno(text: string, errno: ErrnoName): boolean {
  const words = text.trim().toLowerCase();
  return (
    words === errno.toLowerCase() ||
    words === errnoTexts[errno].toLowerCase() ||
    /^(?:errno )?-?\d+$/.test(words)
  );
}

function statusNamed(text: string): Finding | undefined {
  // In a sentence, "success" or "busy" is a word like any other.
  const names = isName(text) ? /\b[A-Z][A-Z0-9_]{3,}\b/gi : /\bTDX_[A-Z0-9_]+\b/g;
  for (const [name] of text.matchAll(names)) {
    const word = wordOfStatusName(name);
    if (word === undefined) continue;
    const status = explainStatus(word, leafIn(text));
    return { answer: status.answer, status };
  }
  return undefined;
}

function operandNamed(text: string): Finding | undefined {
  const name = text.trim().toUpperCase();
  if (!(name in operandIds)) return undefined;
  const status = explainStatus(statusWord('TDX_OPERAND_INVALID', name as OperandName));
  return { answer: status.answer, status };
}

function everyStatusOf(leaf: Leaf): readonly Finding[] {
  const { name } = leaf;
  if (name === undefined) return [];
  return Object.entries(statusRows)
    .filter(([, { returnedBy }]) => returnedBy.includes(name))
    .map(([code]) => {
      const status = explainStatus(statusCodes[code as StatusName], leaf);
      return { answer: status.answer, status };
    });
}

function everyErrnoOf(
  request: string,
  text: string,
  { kernel }: ExplainOptions,
): readonly Finding[] {
  const strange = /\bE[A-Z0-9]{2,14}\b/.exec(text.replace(request, ''))?.[0];
  if (strange !== undefined) return [refusalFinding({ request, errno: strange, kernel })];
  const telling = tellingErrnos(request, kernel);
  const errnos = (Object.keys(errnoNumbers) as ErrnoName[]).filter((errno) => telling.has(errno));
  return errnos.map((errno) => refusalFinding({ request, errno, kernel }));
}

/** More answers than these help nobody. */
const MAX_ALONE = 6;

/** ENOSPC alone has three answers: of INIT_VM, of the module's initialisation, of VFIO. */
function requestsThatAnswer(errno: ErrnoName, { kernel }: ExplainOptions): readonly Finding[] {
  const requests = allRequestFacts
    .map(({ request }) => request)
    .filter((request) => tellingErrnos(request, kernel).has(errno));
  if (requests.length > MAX_ALONE) return [{ answer: requestDecides(errno, requests) }];
  const own = requests.map((request) => refusalFinding({ request, errno, kernel }));
  const common = commonAnswers[errno];
  return common === undefined ? own : [...own, { answer: common }];
}

function requestDecides(errno: ErrnoName, requests: readonly string[]): Answer {
  return {
    ...severalChecks,
    meaning:
      `what it means hangs on the request, and ${requests.length} requests of a TD's life answer so: ` +
      requests.join(', '),
    next: `name both: \`tdctl explain ${errno} ${requests[0]}\``,
  };
}
