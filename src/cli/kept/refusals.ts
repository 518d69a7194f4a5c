/** Why a verb is not for a TD as it is. */
import { TdctlError } from '../../errors/index.ts';
import type { KeptTd } from '../../keeper/kept-td.ts';
import { keptStates } from '../../keeper/state.ts';

interface Refused {
  readonly op: string;
  /** What it cannot, as the end of a sentence: `be paused`. */
  readonly cannot: string;
  /** What to do instead. */
  readonly hint: string;
}

export function notInThisState({ name, state }: KeptTd, refused: Refused): TdctlError {
  const { op, cannot, hint } = refused;
  return new TdctlError({
    code: 'TDCTL_E_CONFLICT',
    op,
    message: `TD ${name} is ${state} (${keptStates[state]}), and cannot ${cannot}`,
    hint,
  });
}

/** What is known of a TD whose keeper does not answer, or whose files cannot be read, is in its notes. */
export function notToBeReached(verb: string, { name, state, notes }: KeptTd): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_NOT_ANSWERING',
    op: verb,
    message: `TD ${name} is ${state} (${keptStates[state]}), so nobody can be asked`,
    details: notes,
    hint: `\`tdctl kill ${name}\` ends its keeper, and the kernel takes the TD down with it`,
  });
}

/** The command was interrupted while it waited; what it had asked for goes on. */
export function interruptedWaiting(verb: string, { name, state }: KeptTd): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_INTERRUPTED',
    op: verb,
    message: `interrupted while TD ${name} is ${state}; that goes on without this command`,
    hint: `\`tdctl wait ${name} --for over\` waits again`,
  });
}
