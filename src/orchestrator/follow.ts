/** The follower tells what a chart goes through while it runs. */
import type {
  Actor,
  AnyActor,
  AnyEventObject,
  AnyMachineSnapshot,
  AnyStateMachine,
  OutputFrom,
  SnapshotFrom,
} from 'xstate';
import { type StateId, stateId } from '../../machines/state-id.ts';
import { transitionId } from '../../machines/transition-id.ts';
import { onTransition } from './quick-chart.ts';

interface Following<Machine extends AnyStateMachine> {
  /** The state that the chart begins in, if nobody is to be told of it. */
  readonly from?: StateIdOf<Machine>;
  /** `transitions` are those taken since the state before, in order. */
  readonly onEntered: (state: StateIdOf<Machine>, transitions: readonly string[]) => void;
}

type StateIdOf<Machine extends AnyStateMachine> = StateId<SnapshotFrom<Machine>['value']>;

/**
 * Must be called before the actor is started. The promise resolves with the output of the chart, and
 * rejects for a defect of it.
 */
export function follow<Machine extends AnyStateMachine>(
  actor: Actor<Machine>,
  { from, onEntered }: Following<Machine>,
): Promise<OutputFrom<Machine>> {
  // XState knows no snapshot type for a machine that is not known yet.
  const chart: AnyActor = actor;
  let state = from;
  const taken: string[] = [];
  onTransition(chart, (transition) => taken.push(transitionId(transition)));
  return new Promise((resolve, reject) => {
    chart.subscribe({
      next: (snapshot: AnyMachineSnapshot) => {
        const entered = stateId(snapshot.value) as StateIdOf<Machine>;
        if (entered === state) return;
        state = entered;
        onEntered(entered, taken.splice(0));
        if (snapshot.status === 'done') resolve(snapshot.output);
      },
      error: reject,
    });
  });
}

/**
 * The listener hears each event on its way into the chart, before anything comes of it. The first is `xstate.init`,
 * which has the input; with it, the others give the same chart the same snapshot (`transition` of XState). Must be
 * called before the actor is started.
 */
export function hearEvents(actor: AnyActor, listener: (event: AnyEventObject) => void): void {
  actor.system.inspect((inspected) => {
    if (inspected.type === '@xstate.event' && inspected.actorRef === actor) {
      listener(inspected.event);
    }
  });
}
