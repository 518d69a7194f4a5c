/** Why a keeper gives no answer, in words. */
import { errnoOf } from '../../errors/errno.ts';
import { TdctlError } from '../../errors/index.ts';
import { sanitize } from '../../errors/sanitize.ts';
import { readKeptTd } from '../kept-tds.ts';
import { isOver } from '../state.ts';
import type { StateDirectory } from '../state-directory.ts';

export interface Kept {
  readonly state: StateDirectory;
  readonly name: string;
}

const op = 'ask the keeper of a TD';

/** Nobody takes questions there at this moment, and somebody will soon. */
export class NobodyYet extends TdctlError {}

export function silent({ name }: Kept, deadlineMs: number): TdctlError {
  const patience = deadlineMs === 0 ? 'at all' : `within ${deadlineMs} ms`;
  return new TdctlError({
    code: 'TDCTL_E_NOT_ANSWERING',
    op,
    message: `the keeper of TD ${name} does not answer ${patience}`,
    hint: `it may be busy, or stopped by SIGSTOP: \`tdctl show ${name}\` has its pid; \`tdctl kill ${name}\` ends it and the TD with it`,
  });
}

/** Nobody serves the socket. What became of its keeper is concluded from what it has left. */
export function notThere(kept: Kept, cause?: unknown): TdctlError {
  const { state, name } = kept;
  if (errnoOf(cause) === 'EACCES' || errnoOf(cause) === 'EPERM') return notTheirs(kept, cause);
  const td = readKeptTd(state, name);
  if (td === undefined) {
    return new TdctlError({
      code: 'TDCTL_E_NOT_FOUND',
      op,
      place: sanitize(state.tdPath(name)),
      message: `there is no TD ${name} here`,
      hint: '`tdctl list` has those that there are',
    });
  }
  if (td.keeper?.lives === true && !isOver(td.state)) {
    return new NobodyYet({
      code: 'TDCTL_E_NOT_ANSWERING',
      op,
      message: `TD ${name} is ${td.state}, and its keeper takes no questions: it is only beginning, or ending`,
      hint: 'ask again in a moment',
      cause,
    });
  }
  return new TdctlError({
    code: 'TDCTL_E_CONFLICT',
    op,
    message: `TD ${name} is ${td.state}, and no keeper is there to be asked`,
    details: td.notes,
    hint: `\`tdctl start ${name}\` begins a new life of it, \`tdctl delete ${name}\` removes it`,
    cause,
  });
}

/** The keeper was there, and the connection was closed before the answer was whole. */
export function closed(kept: Kept): TdctlError {
  const td = readKeptTd(kept.state, kept.name);
  if (td?.keeper?.lives !== true) return notThere(kept);
  return new NobodyYet({
    code: 'TDCTL_E_NOT_ANSWERING',
    op,
    message: `the keeper of TD ${kept.name} has closed the connection instead of answering`,
    hint: 'ask again; it may have too many connections, or be ending',
  });
}

export function noKeeper({ state, name }: Kept): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_NOT_ANSWERING',
    op,
    place: sanitize(state.tdPath(name)),
    message: `what answers on the socket of TD ${name} does not speak as a keeper does`,
    hint: `see what it is: \`tdctl show ${name}\``,
  });
}

function notTheirs({ state, name }: Kept, cause: unknown): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_NOT_OWNER',
    op,
    place: sanitize(state.tdPath(name)),
    message: `TD ${name} is kept by another user`,
    hint: 'ask as that user, or as root',
    cause,
  });
}
