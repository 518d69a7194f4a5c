/**
 * Gives a chart its effects: one actor for each row of its step tables, bound to the session of the
 * chart that runs it.
 *
 * A chart is provided once, not for each run: XState makes every state anew when it is, which took half
 * the time of a TD on a simulated host. So the actors find their session by the actor system they run
 * in, and an actor system runs one chart: neither is a chart started as the child of another, nor are
 * two bound in one system.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type AnyActor, fromPromise, type PromiseActorLogic } from 'xstate';
import type { StepError } from '../../machines/td-lifecycle/index.ts';
import type { RequestCount, StepEnded } from './events.ts';
import type { AroundStep } from './session.ts';

/** What every session has, whatever chart it belongs to. */
interface StepSession {
  /** Milliseconds of the clock that events carry. */
  readonly now: () => number;
  readonly aroundStep: AroundStep;
  readonly publish: (body: StepEnded) => void;
}

export type Effect<Session, Output> = (session: Session, signal: AbortSignal) => Promise<Output>;

type Effects<Session, Names extends string> = {
  readonly [Name in Names]: Effect<Session, unknown>;
};

type ActorsOf<Session, Given extends Effects<Session, string>> = {
  [Name in keyof Given]: PromiseActorLogic<Awaited<ReturnType<Given[Name]>>>;
};

interface Row {
  readonly state: string;
  readonly actor: string;
}

interface Binding<Session> {
  /** The requests since the last call: those of the step that ends. */
  readonly takeRequests: (session: Session) => readonly RequestCount[];
  readonly stepError: (session: Session, failed: Failed) => Promise<StepError>;
}

interface Failed {
  readonly step: string;
  readonly error: unknown;
}

type Around<Session> = <Output>(
  session: Session,
  step: { readonly state: string; readonly work: Promise<Output> },
) => Promise<Output>;

export function bound<Session extends StepSession>({ takeRequests, stepError }: Binding<Session>) {
  const sessions = new WeakMap<AnyActor['system'], Session>();

  const sessionOf = (system: AnyActor['system']): Session => {
    const session = sessions.get(system);
    if (!session) throw new Error('this chart was started without a session');
    return session;
  };

  async function timed<Output>(
    session: Session,
    {
      state,
      effect,
      signal,
    }: { state: string; effect: Effect<Session, Output>; signal: AbortSignal },
  ): Promise<Output> {
    const startedAt = session.now();
    const end = (result: StepEnded['result']) =>
      session.publish({
        event: 'step.ended',
        step: state,
        result,
        durationMs: session.now() - startedAt,
        requests: takeRequests(session),
      });
    try {
      // A simulated host answers at once, so without a turn of the event loop between the steps a
      // signal would be seen only when all of them are done.
      await nextTurn();
      signal.throwIfAborted();
      const output = await session.aroundStep(state, () => effect(session, signal));
      end(signal.aborted ? 'interrupted' : 'done');
      return output;
    } catch (error) {
      end(signal.aborted ? 'interrupted' : 'failed');
      throw await stepError(session, { step: state, error });
    }
  }

  return {
    /** Makes `session` the one that the actors of this chart work on; before it is started. */
    bind({ system }: AnyActor, session: Session): void {
      if (sessions.has(system)) throw new Error('an actor system runs one chart');
      sessions.set(system, session);
    },

    /** @param around sees each step while it works. */
    actors<const Step extends Row, const Given extends Effects<Session, Step['actor']>>(
      rows: readonly Step[],
      effects: Given,
      around: Around<Session> = (_, { work }) => work,
    ): ActorsOf<Session, Given> {
      const actors = rows.map(({ state, actor }) => [
        actor,
        fromPromise(({ signal, system }) => {
          const session = sessionOf(system);
          const effect = effects[actor as Step['actor']];
          return around(session, { state, work: timed(session, { state, effect, signal }) });
        }),
      ]);
      return Object.fromEntries(actors) as ActorsOf<Session, Given>;
    },

    /** A wait without an end of its own is no step: nothing is timed, and no teardown waits for it. */
    wait<Output>(step: string, effect: Effect<Session, Output>): PromiseActorLogic<Output> {
      return fromPromise(async ({ signal, system }) => {
        const session = sessionOf(system);
        try {
          return await effect(session, signal);
        } catch (error) {
          throw await stepError(session, { step, error });
        }
      });
    },
  };
}
