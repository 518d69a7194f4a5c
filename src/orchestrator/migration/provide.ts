/** This module gives the chart of a migration its effects. */
import {
  intraHostMigration,
  migrationSteps,
} from '../../../machines/intra-host-migration/index.ts';
import { bound } from '../bound.ts';
import { quickChart } from '../quick-chart.ts';
import { TdEndedError } from './ask.ts';
import { checkMigration } from './check.ts';
import type { MigrationSession } from './session.ts';
import { readState, writeState } from './state.ts';
import {
  arrive,
  askDestination,
  askSource,
  enterDestination,
  handOver,
  moveContext,
  pauseSource,
  prepareDestination,
  restoreMemory,
  retireSource,
} from './steps.ts';
import { clearUp, keepSource, resumeSource, takeDownDestination } from './undo.ts';

const { actors, bind } = bound<MigrationSession>(async ({ source }, { step, error }) => {
  if (error instanceof TdEndedError) return error.stepError;
  return source.stepError(step, error);
});

export const bindMigration = bind;

/** The chart has its effects, and each actor of it needs {@link bindMigration}. */
export const intraHostMigrationOnHost = quickChart(
  intraHostMigration.provide({
    actors: actors(migrationSteps, {
      checkMigration,
      prepareDestination,
      pauseSource,
      handOver,
      readState,
      writeState,
      takeDownDestination,
      probeSource: askSource,
      keepSource,
      resumeSource,
      moveContext,
      askSource,
      askDestination,
      arrive,
      restoreMemory,
      enterDestination,
      retireSource,
      clearUp,
    }),
  }),
);
