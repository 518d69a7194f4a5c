export type {
  GivenBack,
  MigrationContext,
  MigrationInput,
  MigrationOutput,
  OwnerFound,
  RolledBack,
  Verdict,
} from './context.ts';
export { INTRA_HOST_MIGRATION_VERSION, intraHostMigration } from './machine.ts';
export { type MigrationStepState, migrationSteps } from './steps.ts';
