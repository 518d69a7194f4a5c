/** An entrance of its own, because only rehearsals move TDs: a run does not load the chart of a move. */
export { startMigration } from './migration-run.ts';
