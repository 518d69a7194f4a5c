/** What a person may type that stands in no log: an id, a status or operand name, a lone errno. */
import { type ErrnoName, errnoNumbers } from '../../../abi/kvm/errno.ts';
import { allAnswers } from '../all-answers.ts';
import { allRequestFacts, factsOf } from '../requests/index.ts';
import { explainStatus, wordOfStatusName } from '../status/explain-status.ts';
import { errnoIn } from './errno-words.ts';
import { type Finding, refusalFinding } from './recognise.ts';
import { requestIn } from './request-words.ts';
import { leafIn } from './status-words.ts';

export function recogniseName(text: string): readonly Finding[] {
  const byId = allAnswers().find(({ id }) => id === text.trim().toLowerCase());
  if (byId) return [{ answer: byId }];
  const status = statusNamed(text);
  if (status) return [status];
  const request = requestIn(text);
  if (request !== undefined) return everyErrnoOf(request);
  const errno = errnoIn(text);
  return errno === undefined ? [] : everyRequestThatAnswers(errno);
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

function everyErrnoOf(request: string): readonly Finding[] {
  const errnos = (Object.keys(errnoNumbers) as ErrnoName[]).filter(
    (errno) => factsOf(request)?.answers[errno] !== undefined,
  );
  return errnos.map((errno) => refusalFinding({ request, errno }));
}

/** ENOSPC alone has three answers: of INIT_VM, of the module's initialisation, of VFIO. */
function everyRequestThatAnswers(errno: ErrnoName): readonly Finding[] {
  return allRequestFacts
    .filter(({ answers }) => answers[errno] !== undefined)
    .map(({ request }) => refusalFinding({ request, errno }));
}
