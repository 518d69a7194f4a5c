/** What a service manager is told of a TD, from the events of its run. */
import type { AnyTdStateId, TdRunEvent } from '../../orchestrator/index.ts';
import type { ServiceManager } from './notify.ts';

export interface Supervised {
  /** Takes an event once it is written down. */
  event(event: Pick<TdRunEvent, 'event' | 'state'>): void;
  /** It waits for a key slot. */
  queued(place: { readonly position: number; readonly of: number }): void;
}

/** An estimate can be exceeded, and time-outs are no use to a teardown. */
const slack = 2;
const leastMs = 60_000;

/**
 * @param start whether the TD is up only once its guest runs.
 * @param teardownMs how long a teardown is thought to take.
 */
export function supervised(
  manager: Pick<ServiceManager, 'ready' | 'status' | 'stopping' | 'needsMs'>,
  { start, teardownMs }: { readonly start: boolean; readonly teardownMs: () => number | null },
): Supervised {
  let isReady = false;
  let isStopping = false;
  let hasMoved = false;
  return {
    queued: ({ position, of }) => manager.status(`waits for a key slot: ${position} of ${of}`),
    event({ event, state }) {
      if (event !== 'state.entered') return;
      // The unit goes on with the next keeper, and what ends here is no end of it.
      hasMoved ||= state === 'movedAway';
      if (hasMoved) return;
      const words = state.replaceAll('.', ': ');
      if (isDown(state)) {
        if (!isStopping) {
          manager.stopping(words);
          manager.needsMs(Math.max(leastMs, slack * (teardownMs() ?? 0)));
        } else manager.status(words);
        isStopping = true;
      } else if (!isReady && isUp(state, start)) {
        isReady = true;
        manager.ready(words);
      } else manager.status(words);
    },
  };
}

function isUp(state: AnyTdStateId, start: boolean): boolean {
  return state === 'running' || (!start && state === 'runnable');
}

const downStates: readonly string[] = ['stopping', 'interrupting', 'terminating', 'releasing'];

function isDown(state: AnyTdStateId): boolean {
  return downStates.some((down) => state === down || state.startsWith(`${down}.`));
}
