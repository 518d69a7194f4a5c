/** An entrance of its own, because only rehearsals move TDs: a run does not load the chart of a move. */
export { LocalSource } from './local-source.ts';
export { startMigration } from './migration-run.ts';
export type { CarriedState, MigrationSource } from './source.ts';
