/** The chart of one TD while it runs, as every run offers it, whoever makes the TD. */
import type { Actor, AnyActor, AnyEventObject, AnyMachineSnapshot, AnyStateMachine } from 'xstate';
import type { TdOutput } from '../../machines/td-lifecycle/index.ts';
import type { TdEventBody } from './events.ts';
import { follow, hearEvents } from './follow.ts';
import type { KeptRun, TdState } from './kept-run.ts';

export interface ChartRunOptions<State extends string> {
  /** The state that the chart begins in. */
  readonly from: State;
  /** Is told before it is published. */
  readonly onEntered: (state: State) => void;
  readonly publish: (body: TdEventBody) => void;
  readonly onChartEvent?: ((event: AnyEventObject) => void) | undefined;
}

export interface ChartRun<Event extends AnyEventObject>
  extends Pick<KeptRun, 'ended' | 'stop' | 'isIn' | 'reaches' | 'persisted'> {
  /** See KeptRun. */
  send(event: Event): boolean;
}

/** Must be called before the actor is started. */
export function chartRun<Event extends AnyEventObject, State extends string>(
  actor: AnyActor,
  { from, onEntered, publish, onChartEvent }: ChartRunOptions<State>,
): ChartRun<Event> {
  if (onChartEvent !== undefined) hearEvents(actor, onChartEvent);
  const waiting = new Set<Waiting>();
  const following = follow(actor as Actor<AnyStateMachine>, {
    from: from as never,
    onEntered: (entered, transitions) => {
      onEntered(entered as State);
      publish({ event: 'state.entered', transitions });
      const snapshot = actor.getSnapshot();
      for (const each of waiting) {
        if (!isOver(snapshot, each)) continue;
        waiting.delete(each);
        each.resolve(isThere(snapshot, each));
      }
    },
  });
  const ended = following.then((output: TdOutput) => {
    const { outcome, error, leftovers } = output;
    publish({ event: 'td.ended', outcome, error, leftovers });
    return output;
  });
  const send = (event: AnyEventObject): boolean => {
    const snapshot: AnyMachineSnapshot = actor.getSnapshot();
    if (snapshot.status !== 'active') return false;
    const isTaken = snapshot.can(event);
    actor.send(event);
    return isTaken;
  };
  return {
    ended,
    send,
    stop: () => void send({ type: 'td.stop' }),
    isIn: (wanted) => actor.getSnapshot().matches(wanted),
    async reaches(...states) {
      const snapshot = actor.getSnapshot();
      if (isOver(snapshot, { states })) return isThere(snapshot, { states });
      return new Promise((resolve, reject) => {
        waiting.add({ states, resolve });
        following.catch(reject);
      });
    },
    get persisted() {
      return actor.getPersistedSnapshot();
    },
  };
}

/** Somebody who waits for one of the states, or for the end. */
interface Waiting {
  readonly states: readonly TdState[];
  readonly resolve: (isThere: boolean) => void;
}

function isThere(snapshot: AnyMachineSnapshot, { states }: Pick<Waiting, 'states'>): boolean {
  return states.some((wanted) => snapshot.matches(wanted));
}

function isOver(snapshot: AnyMachineSnapshot, waiting: Pick<Waiting, 'states'>): boolean {
  return snapshot.status === 'done' || isThere(snapshot, waiting);
}
