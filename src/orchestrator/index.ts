export type { RequestCount, StepResult, TdEventBody, TdRunEvent } from './events.ts';
export { exitsOf } from './guest.ts';
export type { MigrationEventBody, MigrationRunEvent } from './migration/events.ts';
export {
  type MigrationOptions,
  type MigrationRun,
  startMigration,
} from './migration/migration-run.ts';
export type { AroundStep, ConsoleListener } from './session.ts';
export { toStepError } from './step-error.ts';
export { startTd, type TdRun, type TdRunOptions, type TdState } from './td-run.ts';
