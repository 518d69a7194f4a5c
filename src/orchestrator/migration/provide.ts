/** The chart of a migration with its effects. */
import {
  intraHostMigration,
  migrationSteps,
} from '../../../machines/intra-host-migration/index.ts';
import { KvmError } from '../../host/kvm-error.ts';
import { bound } from '../bound.ts';
import { knownFacts } from '../refusal-facts.ts';
import { toStepError } from '../step-error.ts';
import { TdEndedError } from './ask.ts';
import { checkMigration } from './check.ts';
import { moveRefused } from './move-refusal.ts';
import type { MigrationSession } from './session.ts';
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
  if (step === 'moving' && error instanceof KvmError) return moveRefused(step, error);
  return toStepError(step, error, await knownFacts(source.session, error));
});

export const bindMigration = bind;

/** The chart with its effects. Each actor of it needs {@link bindMigration}. */
export const intraHostMigrationOnHost = intraHostMigration.provide({
  actors: actors(migrationSteps, {
    checkMigration,
    prepareDestination,
    pauseSource,
    handOver,
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
});
