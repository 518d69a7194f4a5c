/** Runs the chart for one migration, from a TD on one side to a VM that is made on the other. */
import { createActor } from 'xstate';
import {
  INTRA_HOST_MIGRATION_VERSION,
  type MigrationOutput,
  type MigrationStateId,
} from '../../../machines/intra-host-migration/index.ts';
import type { Host } from '../../host/port.ts';
import type { TdPlan } from '../../plan/index.ts';
import type { TdRunEvent } from '../events.ts';
import { follow } from '../follow.ts';
import { type AroundStep, once } from '../session.ts';
import { startTd, type TdRun, type TdRunOptions } from '../td-run.ts';
import type { Crossing } from './crossing.ts';
import type { MigrationEventBody, MigrationRunEvent } from './events.ts';
import { bindMigration, intraHostMigrationOnHost } from './provide.ts';
import type { MigrationSession } from './session.ts';
import type { MigrationSource } from './source.ts';

export interface MigrationRun {
  /** Resolves once it is decided where the TD is, and rejects only for a defect of tdctl. */
  readonly ended: Promise<MigrationOutput>;
  /**
   * Takes the migration back if the point of no return is not passed yet; otherwise nothing changes.
   */
  cancel(): void;
  /** Present once there is a destination. After `completed` and `destinationOnly` it has the TD. */
  readonly destination: TdRun | undefined;
  readonly state: MigrationStateId;
  /** What was done in one go, where the source came to rest with its state at hand. */
  readonly crossing: Pick<Crossing, 'begun' | 'endedAt'> | undefined;
}

export interface MigrationOptions {
  readonly source: MigrationSource;
  /**
   * The host as the destination's process sees it. It is the source's own where one process has both.
   */
  readonly host: Host;
  readonly onEvent: (event: MigrationRunEvent) => void;
  readonly onDestinationEvent: (event: TdRunEvent) => void;
  /** Plan that the destination is made by. Without it, the source's own plan is used. */
  readonly destinationPlan?: TdPlan | undefined;
  /** With `none`, nothing is refused beforehand, so that the kernel answers. */
  readonly checks?: 'all' | 'none' | undefined;
  readonly aroundStep?: AroundStep | undefined;
  /** Starts the destination, where somebody keeps it; it has to hand on all that it is given. */
  readonly startTd?: ((options: TdRunOptions) => TdRun) | undefined;
  /** As for the run of a TD: whether the destination's events have `request.answered` among them. */
  readonly tellsRequests?: boolean | undefined;
}

export function startMigration(options: MigrationOptions): MigrationRun {
  const { source, onEvent } = options;
  const { now, plan } = source;
  const startedAt = now();
  let state: MigrationStateId = 'revocable.checking';
  const publish = (body: MigrationEventBody) =>
    onEvent({
      td: plan.spec.name,
      machine: 'intra-host-migration',
      machineVersion: INTRA_HOST_MIGRATION_VERSION,
      state,
      elapsedMs: now() - startedAt,
      ...body,
    });
  const session: MigrationSession = {
    source,
    host: options.host,
    destinationPlan: options.destinationPlan ?? plan,
    checks: options.checks ?? 'all',
    aroundStep: options.aroundStep ?? once,
    tellsRequests: options.tellsRequests ?? true,
    now,
    publish,
    onDestinationEvent: options.onDestinationEvent,
    startTd: options.startTd ?? startTd,
    requests: {
      take: () =>
        [source.requests, session.destination?.session.requests].flatMap(
          (requests) => requests?.take() ?? [],
        ),
    },
    destination: undefined,
    state: undefined,
  };
  const actor = createActor(intraHostMigrationOnHost, {
    input: { td: plan.spec.name, wasRunning: source.state === 'running' },
  });
  bindMigration(actor, session);
  const ended = follow(actor, {
    onEntered: (entered, transitions) => {
      state = entered;
      publish({ event: 'state.entered', transitions });
    },
  }).then((output) => {
    const { verdict, error, leftovers } = output;
    // A migration that is over must let go of the TD, whatever went wrong in its last steps. Otherwise
    // nobody could stop the source any more.
    source.letGo(verdict === 'sourceKept' ? 'kept' : 'moved');
    publish({ event: 'migration.ended', verdict, error, leftovers });
    return output;
  });
  actor.start();
  return {
    ended,
    cancel: () => {
      // What was done in one go is beyond that, wherever the chart is.
      if (session.crossing !== undefined) return;
      if (actor.getSnapshot().status === 'active') actor.send({ type: 'migration.cancel' });
    },
    get destination() {
      return session.destination;
    },
    get state() {
      return state;
    },
    get crossing() {
      return session.crossing;
    },
  };
}
