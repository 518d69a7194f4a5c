export type {
  Asked,
  GivenBack,
  LetGo,
  MigrationContext,
  MigrationInput,
  MigrationOutput,
  Verdict,
} from './context.ts';
export {
  INTRA_HOST_MIGRATION_VERSION,
  intraHostMigration,
  type MigrationStateId,
} from './machine.ts';
export { migrationTags } from './setup.ts';
export { clearingUp, type MigrationStepState, migrationSteps, rollbackSteps } from './steps.ts';
