export type { QmpEvent } from './messages.ts';
export { type Asked, type Monitor, openMonitor } from './monitor.ts';
export { MonitorClosed, MonitorRefused, MonitorSilent } from './problems.ts';
