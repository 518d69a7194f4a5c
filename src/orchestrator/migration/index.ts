/** An entrance of its own, because few TDs move: a run does not load the chart of a move. */

export type { Origin } from '../session.ts';
export { LocalSource } from './local-source.ts';
export { type MigrationRun, startMigration } from './migration-run.ts';
export type { CarriedState, MigrationSource } from './source.ts';
