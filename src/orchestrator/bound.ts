/**
 * Gives a chart its effects: one actor for each row of its step tables, bound to the session of the
 * chart that runs it.
 *
 * A chart is provided once, not for each run: XState makes every state anew when it is, which took half
 * the time of a TD on a simulated host. So the actors find their session by the actor system that they
 * run in, and an actor system runs one chart: no chart is started as the child of another, and no two
 * are bound in one system.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AnyActor, PromiseActorLogic } from 'xstate';
import type { StepError } from '../../machines/td-lifecycle/index.ts';
import type { RequestCount, StepEnded } from './events.ts';
import type { Interruption } from './interruption.ts';
import type { AroundStep } from './session.ts';
import { stepLogic } from './step-logic.ts';

/** Every session has these, whatever chart it belongs to. */
interface StepSession {
  /** Milliseconds of the clock that events carry. */
  readonly now: () => number;
  readonly aroundStep: AroundStep;
  readonly publish: (body: StepEnded) => void;
  /** Counts the requests since they were last taken, which are those of the step that ends. */
  readonly requests: { take(): readonly RequestCount[] };
  /** An effect sets it that has nothing to do on this host. */
  skipped?: boolean;
}

type Effect<Session, Output> = (session: Session, interruption: Interruption) => Promise<Output>;

type Around<Session> = <Output>(
  session: Session,
  step: { readonly state: string; readonly work: Promise<Output> },
) => Promise<Output>;

/** @param stepError makes the plain record that a chart keeps of what a step has thrown. */
export function bound<Session extends StepSession>(
  stepError: (session: Session, thrown: { step: string; error: unknown }) => Promise<StepError>,
) {
  const sessions = new WeakMap<AnyActor['system'], Session>();

  /** The actor works on the session of its chart. */
  const actor = <Output>(step: string, effect: Effect<Session, Output>) =>
    stepLogic<Output>(async ({ interruption, system }) => {
      const session = sessions.get(system);
      if (!session) throw new Error('this chart was started without a session');
      try {
        return await effect(session, interruption);
      } catch (error) {
        throw await stepError(session, { step, error });
      }
    });

  return {
    /**
     * Makes `session` the one that the actors of this chart work on. It must be called before the chart
     * is started.
     */
    bind({ system }: AnyActor, session: Session): void {
      if (sessions.has(system)) throw new Error('an actor system runs one chart');
      sessions.set(system, session);
    },

    /** A wait without an end of its own is no step: it is not timed, and no teardown waits for it. */
    wait: <Output>(
      step: string,
      effect: (session: Session, signal: AbortSignal) => Promise<Output>,
    ) => actor(step, (session, { signal }) => effect(session, signal)),

    /** @param around sees each step while it works. */
    actors<Name extends string, Given extends Record<Name, Effect<Session, unknown>>>(
      rows: readonly { readonly state: string; readonly actor: Name }[],
      effects: Given,
      around: Around<Session> = (_, { work }) => work,
    ) {
      const actors = rows.map(({ state, actor: name }) => [
        name,
        actor(state, (session, interruption) =>
          around(session, {
            state,
            work: timed(session, { state, effect: effects[name], interruption }),
          }),
        ),
      ]);
      return Object.fromEntries(actors) as {
        [Key in keyof Given]: PromiseActorLogic<Awaited<ReturnType<Given[Key]>>>;
      };
    },
  };
}

interface Timed<Session, Output> {
  readonly state: string;
  readonly effect: Effect<Session, Output>;
  readonly interruption: Interruption;
}

async function timed<Session extends StepSession, Output>(
  session: Session,
  { state, effect, interruption }: Timed<Session, Output>,
): Promise<Output> {
  const startedAt = session.now();
  const end = (result: StepEnded['result']) =>
    session.publish({
      event: 'step.ended',
      step: state,
      result,
      durationMs: session.now() - startedAt,
      requests: session.requests.take(),
    });
  try {
    // A simulated host answers at once, so without a turn of the event loop between the steps a
    // signal would be seen only when all of them are done.
    await nextTurn();
    interruption.throwIfAborted();
    const output = await session.aroundStep(state, () => effect(session, interruption));
    const { skipped = false } = session;
    session.skipped = false;
    end(interruption.aborted ? 'interrupted' : skipped ? 'skipped' : 'done');
    return output;
  } catch (error) {
    end(interruption.aborted ? 'interrupted' : 'failed');
    throw error;
  }
}
