/** A TD comes to rest where it is, for another keeper to go on with. */
import type { TdRun } from '../../orchestrator/index.ts';
import type { LocalSource } from '../../orchestrator/migration/index.ts';
import { collectYoung } from './collect.ts';
import type { Lane } from './lane.ts';
import type { Outcome, Quiesced } from './protocol.ts';

export interface Resting {
  readonly source: LocalSource;
  readonly run: TdRun;
  /** It runs. */
  readonly pause: boolean;
  /** Where the state of its guest goes as it comes to rest. */
  readonly lane: Lane | undefined;
  /** Nothing comes by the lane: whoever waits there is to know at once. */
  readonly onNothingByLane: () => void;
}

export async function toRest(resting: Resting): Promise<Quiesced> {
  const { source, run, pause, lane } = resting;
  let byLane = false;
  const paused = await outcome(source, 'pausingSource', async () => {
    if (pause) {
      collectYoung();
      await source.pause((packed) => {
        byLane = lane?.send(packed) ?? false;
      });
    }
    if (!byLane) resting.onNothingByLane();
    return null;
  });
  if ('failed' in paused) return { paused, handedOver: null, read: null, parkedNs: null };
  const handedOver = await outcome(source, 'handingOver', async () => {
    await source.handOver();
    return null;
  });
  const read =
    'failed' in handedOver || byLane
      ? null
      : await outcome(source, 'readingState', () => source.readState());
  const { handles } = run.session;
  const parkedNs = handles.has('guest') ? (handles.get('guest').times().parkedNs ?? null) : null;
  return { paused, handedOver, read, byLane, parkedNs };
}

async function outcome<Value>(
  source: LocalSource,
  step: string,
  work: () => Promise<Value>,
): Promise<Outcome<Value>> {
  try {
    return { value: await work() };
  } catch (error) {
    return { failed: await source.stepError(step, error) };
  }
}
