/**
 * Makes the chart of a TD again from its journal. A chart is pure: the same input and the same events give the same
 * state and the same context, whoever asks, and no host is needed.
 */
import { type EventFromLogic, initialTransition, type SnapshotFrom, transition } from 'xstate';
import { stateId } from '../../../machines/state-id.ts';
import {
  TD_LIFECYCLE_VERSION,
  type TdContext,
  type TdInput,
  type TdStateId,
  tdLifecycle,
} from '../../../machines/td-lifecycle/index.ts';
import type { JournalRecord } from './records.ts';

/** What getPersistedSnapshot() has of a chart, but for the actors that it had then. */
export interface Replayed {
  readonly value: SnapshotFrom<typeof tdLifecycle>['value'];
  readonly state: TdStateId;
  readonly context: TdContext;
  readonly status: SnapshotFrom<typeof tdLifecycle>['status'];
}

/**
 * @returns undefined where the TD had no chart yet, or one of another version, whose states may be others; then the
 * last `snapshot` of the journal tells what there is to tell.
 */
export function replay(records: readonly JournalRecord[]): Replayed | undefined {
  let snapshot: SnapshotFrom<typeof tdLifecycle> | undefined;
  for (const record of records) {
    if (record.kind === 'input') {
      const { machine = tdLifecycle.id, machineVersion } = record;
      if (machine !== tdLifecycle.id || machineVersion !== TD_LIFECYCLE_VERSION) return undefined;
      [snapshot] = initialTransition(tdLifecycle, record.input as TdInput);
    } else if (record.kind === 'chart' && snapshot !== undefined) {
      const event = record.event as EventFromLogic<typeof tdLifecycle>;
      [snapshot] = transition(tdLifecycle, snapshot, event);
    }
  }
  if (snapshot === undefined) return undefined;
  const { value, context, status } = snapshot;
  return { value, state: stateId(value), context, status };
}
