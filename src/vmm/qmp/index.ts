export type { QmpEvent } from './messages.ts';
export { type Monitor, openMonitor } from './monitor.ts';
export { MonitorClosed, MonitorRefused, MonitorSilent } from './problems.ts';
