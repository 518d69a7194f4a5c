/** What a person may type that stands in no log: an id, a status or operand name, a lone errno. */
import { type ErrnoName, errnoNumbers } from '../../../abi/kvm/errno.ts';
import {
  type OperandName,
  operandIds,
  type StatusName,
  statusCodes,
  statusWord,
} from '../../../abi/tdx/status.ts';
import { allAnswers } from '../all-answers.ts';
import { commonAnswers } from '../requests/common.ts';
import { allRequestFacts, factsOf } from '../requests/index.ts';
import { explainStatus, statusRows, wordOfStatusName } from '../status/explain-status.ts';
import type { Leaf } from '../status/leaves.ts';
import { errnoIn } from './errno-words.ts';
import { type Finding, refusalFinding } from './recognise.ts';
import { requestIn } from './request-words.ts';
import { leafIn } from './status-words.ts';

export function recogniseName(text: string): readonly Finding[] {
  const byId = allAnswers().find(({ id }) => id === text.trim().toLowerCase());
  if (byId) return [{ answer: byId }];
  const status = statusNamed(text) ?? operandNamed(text);
  if (status) return [status];
  const request = requestIn(text);
  if (request !== undefined) return everyErrnoOf(request, text);
  const errno = errnoIn(text);
  if (errno !== undefined) return everyRequestThatAnswers(errno);
  const leaf = leafIn(text);
  return leaf === undefined ? [] : everyStatusOf(leaf);
}

function statusNamed(text: string): Finding | undefined {
  for (const [name] of text.matchAll(/\b[A-Z][A-Z0-9_]{3,}\b/gi)) {
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

function everyErrnoOf(request: string, text: string): readonly Finding[] {
  const strange = /\bE[A-Z0-9]{2,14}\b/.exec(text.replace(request, ''))?.[0];
  if (strange !== undefined) return [refusalFinding({ request, errno: strange })];
  const errnos = (Object.keys(errnoNumbers) as ErrnoName[]).filter(
    (errno) => factsOf(request)?.answers[errno] !== undefined,
  );
  return errnos.map((errno) => refusalFinding({ request, errno }));
}

/** ENOSPC alone has three answers: of INIT_VM, of the module's initialisation, of VFIO. */
function everyRequestThatAnswers(errno: ErrnoName): readonly Finding[] {
  const own = allRequestFacts
    .filter(({ answers }) => answers[errno] !== undefined)
    .map(({ request }) => refusalFinding({ request, errno }));
  const common = commonAnswers[errno];
  return common === undefined ? own : [...own, { answer: common }];
}
