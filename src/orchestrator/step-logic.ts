/** The logic of an actor that works for as long as its chart is in a state. */
import { type AnyActor, type AnyActorRef, fromPromise, type PromiseActorLogic } from 'xstate';
import { Interruption } from './interruption.ts';

type Work<Output> = (at: {
  readonly interruption: Interruption;
  readonly system: AnyActor['system'];
}) => Promise<Output>;

/** As {@link fromPromise} has it, but for the AbortSignal, which is made only when it is asked for. */
export function stepLogic<Output>(work: Work<Output>): PromiseActorLogic<Output> {
  const logic = fromPromise<Output>(() => Promise.reject(new Error('the work is begun by start')));
  const underWay = new WeakMap<AnyActorRef, Interruption>();
  return {
    ...logic,
    transition: (state, event, scope) => {
      if (event.type === 'xstate.stop' && state.status === 'active')
        underWay.get(scope.self)?.abort();
      return logic.transition(state, event, scope);
    },
    start: (state, { self, system }) => {
      // One that was taken up from a snapshot may have ended before.
      if (state.status !== 'active') return;
      const interruption = new Interruption();
      underWay.set(self, interruption);
      const isAwaited = () => self.getSnapshot().status === 'active';
      work({ interruption, system }).then(
        (data) => {
          if (isAwaited()) self.send({ type: 'xstate.promise.resolve', data });
        },
        (data) => {
          if (isAwaited()) self.send({ type: 'xstate.promise.reject', data });
        },
      );
    },
  };
}
