export { bound } from './bound.ts';
export { chartRun } from './chart-run.ts';
export type {
  AnyTdStateId,
  RequestCount,
  StepResult,
  TdEventBody,
  TdRunEvent,
} from './events.ts';
export type { Interruption } from './interruption.ts';
export type { KeptRequest, KeptRun, Standing, TdState } from './kept-run.ts';
export type { MigrationEventBody, MigrationRunEvent } from './migration/events.ts';
export type { MigrationOptions, MigrationRun } from './migration/migration-run.ts';
export { quickChart } from './quick-chart.ts';
export { RequestCounter } from './request-counter.ts';
export { type AroundStep, type ConsoleListener, once } from './session.ts';
export { toStepError } from './step-error.ts';
export { startTd, type TdRun, type TdRunOptions } from './td-run.ts';
