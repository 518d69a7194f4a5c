/** Gives the chart of a migration its effects, bound to the session of its chart. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type AnyActor, fromPromise } from 'xstate';
import {
  intraHostMigration,
  type MigrationStepState,
} from '../../../machines/intra-host-migration/index.ts';
import type { StepError } from '../../../machines/td-lifecycle/index.ts';
import { stepErrorIn } from '../step-error.ts';
import { checkMigration } from './check.ts';
import type { MigrationSession } from './session.ts';
import {
  findOwner,
  moveContext,
  prepareDestination,
  quiesceSource,
  resumeDestination,
  retireSource,
  TdEndedError,
} from './steps.ts';
import { clearUp, rollBack } from './undo.ts';

type Effect<Output> = (session: MigrationSession, signal: AbortSignal) => Promise<Output>;

type ActorSystem = AnyActor['system'];

/** As for TDs: the chart is provided once, and each run finds its session by its actor system. */
const sessions = new WeakMap<ActorSystem, MigrationSession>();

export function bindMigration(system: ActorSystem, session: MigrationSession): void {
  sessions.set(system, session);
}

function sessionOf(system: ActorSystem): MigrationSession {
  const session = sessions.get(system);
  if (!session) throw new Error('this chart was started without a session');
  return session;
}

function step<Output>(state: MigrationStepState, effect: Effect<Output>) {
  return fromPromise<Output>(({ signal, system }) => {
    const session = sessionOf(system);
    const work = timed({ session, state, effect, signal });
    session.underWay = work.catch(() => undefined);
    return work;
  });
}

/** Undos wait for what is under way, so they must not stand in its place. */
function undo<Output>(state: MigrationStepState, effect: Effect<Output>) {
  return fromPromise<Output>(({ signal, system }) =>
    timed({ session: sessionOf(system), state, effect, signal }),
  );
}

/** The chart with its effects. Each actor of it needs {@link bindMigration}. */
export const intraHostMigrationOnHost = intraHostMigration.provide({
  actors: {
    checkMigration: step('checking', checkMigration),
    prepareDestination: step('preparingDestination', prepareDestination),
    quiesceSource: step('quiescingSource', quiesceSource),
    moveContext: step('moving', moveContext),
    findOwner: step('findingOwner', findOwner),
    resumeDestination: step('resumingDestination', resumeDestination),
    retireSource: step('retiringSource', retireSource),
    rollBack: undo('rollingBack', rollBack),
    clearUp: undo('clearingUp', clearUp),
  },
});

interface Working<Output> {
  readonly session: MigrationSession;
  readonly state: MigrationStepState;
  readonly effect: Effect<Output>;
  readonly signal: AbortSignal;
}

async function timed<Output>({ session, state, effect, signal }: Working<Output>): Promise<Output> {
  const startedAt = session.now();
  const end = (result: 'done' | 'failed' | 'interrupted') =>
    session.publish({
      event: 'step.ended',
      step: state,
      result,
      durationMs: session.now() - startedAt,
      requests: takeRequests(session),
    });
  try {
    // As in the steps of a TD: a turn of the event loop, so that a cancellation is seen in time.
    await nextTurn();
    const output = await session.aroundStep(state, () => effect(session, signal));
    end(signal.aborted ? 'interrupted' : 'done');
    return output;
  } catch (error) {
    end(signal.aborted ? 'interrupted' : 'failed');
    throw await stepErrorOf(session, state, error);
  }
}

/** Requests that the migration made itself, between the steps of the two TDs. */
function takeRequests({ source, destination }: MigrationSession) {
  return [...source.session.requests.take(), ...(destination?.session.requests.take() ?? [])];
}

async function stepErrorOf(
  { source }: MigrationSession,
  state: MigrationStepState,
  error: unknown,
): Promise<StepError> {
  if (error instanceof TdEndedError) return error.stepError;
  return stepErrorIn(source.session, state, error);
}
