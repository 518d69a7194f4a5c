export type { RequestCount, TdEventBody, TdRunEvent } from './events.ts';
export { startTd, type TdRun, type TdRunOptions } from './td-run.ts';
