/**
 * A session is one migration: the TD that moves, the host of the VM it moves to, and that VM once it
 * exists.
 */
import type { Host } from '../../host/port.ts';
import type { TdPlan } from '../../plan/index.ts';
import type { RequestCount, TdRunEvent } from '../events.ts';
import type { AroundStep } from '../session.ts';
import type { TdRun, TdRunOptions } from '../td-run.ts';
import type { Crossing } from './crossing.ts';
import type { MigrationEventBody } from './events.ts';
import type { CarriedState, MigrationSource } from './source.ts';

export interface MigrationSession {
  readonly source: MigrationSource;
  /** The host as the destination's process sees it. */
  readonly host: Host;
  readonly destinationPlan: TdPlan;
  /** With `none`, whatever is asked for is tried, so that the kernel answers. */
  readonly checks: 'all' | 'none';
  readonly now: () => number;
  readonly aroundStep: AroundStep;
  readonly tellsRequests: boolean;
  readonly publish: (body: MigrationEventBody) => void;
  readonly onDestinationEvent: (event: TdRunEvent) => void;
  /** Starts the destination. */
  readonly startTd: (options: TdRunOptions) => TdRun;
  /** Requests that the migration made itself, between the steps of the two TDs. */
  readonly requests: { take(): readonly RequestCount[] };
  destination: TdRun | undefined;
  /** What was read from the source, once it was. */
  state: CarriedState | undefined;
  /** What was done of it in one go, before the chart has come to that. */
  crossing?: Crossing | undefined;
  /** The step under way has nothing to do on this host. */
  skipped?: boolean;
}

export function destinationOf({ destination }: MigrationSession): TdRun {
  if (!destination) throw new Error('the destination has not been prepared yet');
  return destination;
}
