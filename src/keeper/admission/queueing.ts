/**
 * The line for key slots as a part of a TD's life: the step that takes the slot waits for its turn, with a VM made and
 * nothing of the TD. So a TD that waits is stopped as any other, and a try costs one request.
 */
import type { AnyTdStateId } from '../../orchestrator/index.ts';
import type { Companion } from '../companion.ts';
import type { Life } from '../life.ts';
import type { StateDirectory } from '../state-directory.ts';
import { admitted, type HostWithSlots, isNoKeySlot } from './admitted.ts';
import { refusedForSlot } from './refusals.ts';
import { sharesSlots } from './slots.ts';
import type { Place } from './tickets.ts';

export interface QueueingOptions {
  readonly state: StateDirectory;
  readonly life: Life;
  readonly host: HostWithSlots;
  /** Whether it waits. */
  readonly queue: boolean;
  readonly onPlace: (place: Place) => void;
  readonly onTrouble: (error: unknown) => void;
}

const takesSlot = 'initializingTd';
const takingState: AnyTdStateId = 'provisioning.initializingTd';

export function queueing(options: QueueingOptions): Companion {
  const { state, life, host, queue, onPlace, onTrouble } = options;
  const { journaling, status, name, keeper } = life;
  const leaving = new AbortController();
  const { pid, startTime, bootId, pidNamespace } = keeper;

  const inLine = <Output>(take: () => Promise<Output>) =>
    admitted(
      {
        ...{ state, host, queue, onTrouble, signal: leaving.signal },
        owner: { td: name, pid, startTime, bootId, pidNamespace },
        onTicket(kind, ticket) {
          if (kind === 'queued') {
            journaling.takes({ kind, ticket });
            status.change({ state: 'queued' });
          } else {
            journaling.note({ kind, ticket });
            if (!leaving.signal.aborted) status.change({ state: takingState });
          }
        },
        onPlace,
      },
      take,
    );

  return {
    async aroundStep(step, run) {
      if (step !== takesSlot) return await run();
      try {
        return await inLine(run);
      } catch (error) {
        if (!sharesSlots(host.name) || !isNoKeySlot(error)) throw error;
        throw await refusedForSlot(state, { host: host.name, except: name, error });
      }
    },
    // Whatever else the TD comes to while it waits, it does not need the slot any more.
    event({ event, state: entered }) {
      if (event === 'state.entered' && isElsewhere(entered)) leaving.abort(new LeftTheLine());
    },
  };
}

const before: readonly AnyTdStateId[] = [
  'provisioning.creatingVm',
  'provisioning.connecting',
  'provisioning.readingLimits',
  'provisioning.cappingVcpus',
];

function isElsewhere(entered: AnyTdStateId): boolean {
  return entered !== takingState && !before.includes(entered);
}

/** The step is interrupted, so nobody reads why. */
class LeftTheLine extends Error {
  constructor() {
    super('the TD was stopped while it waited for a key slot');
  }
}
