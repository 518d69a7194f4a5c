/** What a keeper does when it is asked to: from a verb to the event of the chart, and to the state that answers. */
import { setTimeout as delay } from 'node:timers/promises';
import { TdctlError } from '../errors/index.ts';
import type { KeptRun, TdState } from '../orchestrator/index.ts';
import type { KeptVerb } from './api/verbs.ts';

interface Action {
  readonly event: 'td.start' | 'td.pause' | 'td.resume' | 'td.stop';
  /** The event is sent in these states. */
  readonly from: readonly TdState[];
  /** These lead to them by themselves, and are waited for. */
  readonly soon: readonly TdState[];
  /** What was asked for is so already, or will be. */
  readonly already: readonly TdState[];
  /** The state that answers; undefined: it is enough that it has begun. */
  readonly reaches: TdState | undefined;
  /** What to do in another state. */
  readonly hint: string;
}

const ending: readonly TdState[] = [
  'stopping',
  'interrupting',
  'terminating',
  'releasing',
  'destroyed',
  'failed',
  'stuck',
];
const building: readonly TdState[] = ['absent', 'provisioning', 'preparing', 'receiving'];
const down: Action = {
  event: 'td.stop',
  from: [...building, 'runnable', 'entering', 'running', 'pausing', 'paused', 'migratingOut'],
  soon: [],
  already: ending,
  reaches: undefined,
  hint: 'wait until the move has ended',
};

const actions: Readonly<Record<KeptVerb, Action>> = {
  start: {
    event: 'td.start',
    from: ['runnable'],
    soon: building,
    already: ['entering', 'running'],
    reaches: 'running',
    hint: 'a TD that is paused is resumed: `tdctl resume`',
  },
  pause: {
    event: 'td.pause',
    from: ['running'],
    soon: ['entering'],
    already: ['pausing', 'paused'],
    reaches: 'paused',
    hint: 'a TD is paused while it runs: `tdctl start` runs it',
  },
  resume: {
    event: 'td.resume',
    from: ['paused'],
    soon: ['pausing'],
    already: ['entering', 'running'],
    reaches: 'running',
    hint: 'a TD that has not run yet is started: `tdctl start`',
  },
  stop: { ...down, from: [...down.from, 'movedAway'] },
  kill: { ...down, from: [...down.from, 'movedAway'] },
};

export interface Asked {
  /** The guest has so long to end by itself. */
  readonly graceMs?: number | undefined;
}

/**
 * @returns whether there was something to do.
 * @throws TdctlError TDCTL_E_CONFLICT where the state does not take it, or the TD went another way meanwhile.
 */
export async function act(td: KeptRun, verb: KeptVerb, { graceMs = 0 }: Asked): Promise<boolean> {
  const { event, from, soon, already, reaches, hint } = actions[verb];
  const isIn = (states: readonly TdState[]) => states.some((state) => td.isIn(state));
  if (isIn(soon)) await td.reaches(...from, ...already, ...ending);
  if (isIn(already)) {
    if (reaches !== undefined) await arrived(td, { verb, reaches });
    return false;
  }
  if (!isIn(from)) throw notTaken(td, { verb, hint });
  if (verb === 'stop' && graceMs > 0 && td.isIn('running')) {
    void endsWithin(td, graceMs).then(() => td.stop());
    return true;
  }
  td.send({ type: event });
  if (reaches !== undefined) await arrived(td, { verb, reaches });
  return true;
}

/** There is no button that a guest of the builtin engine hears, so it has the time to end by itself, and no more. */
async function endsWithin(td: KeptRun, ms: number): Promise<void> {
  td.pressPower?.();
  await Promise.race([td.ended, delay(ms, undefined, { ref: false })]);
}

async function arrived(
  td: KeptRun,
  { verb, reaches }: { readonly verb: KeptVerb; readonly reaches: TdState },
): Promise<void> {
  // A guest may end as soon as it runs: what comes first counts.
  const isThere = td.reaches(reaches).then(() => 'there' as const);
  const isEnding = td.reaches(...ending).then(() => 'ending' as const);
  const isBack = td.reaches(...atRest.filter((each) => each !== reaches));
  const came = await Promise.race([isThere, isEnding, isBack.then(() => 'back' as const)]);
  if (came === 'back') throw notDone(td, verb);
  if (!td.isIn(reaches) && came === 'ending') throw notTaken(td, { verb, hint: undefined });
}

/** A VMM that does not do what it is asked to has its TD still, as it was. */
const atRest: readonly TdState[] = ['runnable', 'running', 'paused'];

function notDone({ state }: KeptRun, verb: KeptVerb): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_NOT_REACHED',
    op: `${verb} the TD`,
    message: `QEMU did not ${verb} the TD, which is ${state}`,
    hint: '`tdctl events` has what it has answered; `tdctl stop` ends the TD whatever it does',
  });
}

function notTaken(
  td: KeptRun,
  { verb, hint }: { readonly verb: KeptVerb; readonly hint: string | undefined },
): TdctlError {
  const isEnding = ending.some((state) => td.isIn(state));
  return new TdctlError({
    code: 'TDCTL_E_CONFLICT',
    op: `${verb} the TD`,
    message: `the TD is ${td.state}, where it cannot be asked to ${verb}`,
    hint: isEnding ? '`tdctl start` begins another life once this one is over' : hint,
  });
}
