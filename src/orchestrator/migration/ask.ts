/**
 * A migration asks one of its TDs for something with a request, and waits until that has led somewhere.
 */
import { hasTag } from '../../../machines/state-id.ts';
import {
  type StepError,
  type TdEvent,
  type TdOutput,
  tdLifecycle,
} from '../../../machines/td-lifecycle/index.ts';
import { TdctlError } from '../../errors/index.ts';
import type { TdState } from '../kept-run.ts';
import type { TdRun } from '../td-run.ts';

interface Request {
  readonly event: TdEvent;
  readonly leadsTo: TdState;
}

/**
 * Asks the TD for a state, unless it is in that state already.
 * @throws TdEndedError with the reason, where the TD ends instead.
 */
export async function ask(td: TdRun, { event, leadsTo }: Request): Promise<void> {
  if (!td.isIn(leadsTo) && !td.send(event)) throw await notTaken(td, event);
  await reach(td, leadsTo);
}

/** @throws TdEndedError with the reason, where the TD ends instead. */
export async function reach(td: TdRun, ...states: readonly TdState[]): Promise<void> {
  if (await td.reaches(...states)) return;
  throw new TdEndedError(reasonOf(await td.ended));
}

/** The error of a TD that has ended by itself tells more than any of the migration's own. */
export class TdEndedError extends Error {
  readonly stepError: StepError;

  constructor(stepError: StepError) {
    super(`the TD has ended: ${stepError.step}`);
    this.stepError = stepError;
  }
}

/**
 * A TD that does not take the request would be waited for without end, so this is an error. If the TD
 * is ending, its end is awaited.
 */
async function notTaken(td: TdRun, { type }: TdEvent): Promise<Error> {
  if (hasTag(tdLifecycle, td.state, 'ending')) return new TdEndedError(reasonOf(await td.ended));
  return new TdctlError({
    code: 'TDCTL_E_MIGRATION_REFUSED',
    op: `send ${type}`,
    message: `the TD is \`${td.state}\` by now, and takes no ${type} there`,
    hint: 'let nobody else start, pause or resume a TD while it moves',
  });
}

function reasonOf({ error, leftovers, name }: TdOutput): StepError {
  const [leftover] = leftovers;
  return (
    error ??
    leftover ?? {
      step: 'stopped',
      code: 'TDCTL_E_INTERRUPTED',
      message: `the TD ${name} was stopped meanwhile`,
    }
  );
}
