/** `tdctl start`: the guest of a TD that is built runs; one that is over begins a new life. */
import { TdctlError } from '../../../errors/index.ts';
import { apiRange } from '../../../keeper/identity.ts';
import type { KeptTd } from '../../../keeper/kept-td.ts';
import { launchKeeper } from '../../../keeper/launch.ts';
import { isOver } from '../../../keeper/state.ts';
import { say } from '../../output/print.ts';
import type { ActingOn, Done } from '../actions.ts';
import { awaitFree } from '../await.ts';
import { launchInUnit, unitFor } from '../create/launch-unit.ts';
import { requestOfTd } from '../request-of.ts';
import { asking } from './asked.ts';
import { keptAgain } from './kept-again.ts';

export function starting({ queue }: { readonly queue?: boolean | undefined }) {
  const ask = asking('start');
  return async (on: ActingOn): Promise<Done> =>
    on.td.state === 'unkept'
      ? goOn(on)
      : isOver(on.td.state)
        ? beginAnew(on, queue === true)
        : ask(on);
}

/** A guest that runs or is paused is left so: it has been started already. */
async function goOn(on: ActingOn): Promise<Done> {
  const { state } = await keptAgain(on, on.td);
  if (state === 'runnable') return asking('start')(on);
  return { result: 'changed', state, words: `${state}, and kept again` };
}

async function beginAnew({ td, state, interrupts, io }: ActingOn, queue: boolean): Promise<Done> {
  const before = requestOfTd(state, td.name);
  if (before === undefined) throw notKnown(td);
  // A fault was for the run that it was given to.
  const request = {
    ...before,
    faults: undefined,
    start: true,
    queue,
    again: true,
    api: apiRange,
  };
  await awaitFree(state, td.name, interrupts.signal);
  const launch = request.unit === undefined ? launchKeeper : launchInUnit(unitFor(td, io), state);
  await launch(request, {
    env: io.env,
    onQueued: ({ position, of }) =>
      say(io, `${td.name}: waiting for a key slot as number ${position} of ${of}`),
    signal: interrupts.signal,
  });
  return { result: 'changed', state: 'running', words: `running, its life ${td.life + 1}` };
}

function notKnown({ name, state }: KeptTd): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_NOT_READABLE',
    op: 'start',
    message: `TD ${name} is ${state}, and what it was created from cannot be read`,
    hint: `\`tdctl delete ${name}\`, and create it from its file`,
  });
}
