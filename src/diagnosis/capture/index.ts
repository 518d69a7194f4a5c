export { captureOf, type HostCapture } from './capture.ts';
export { diffHosts } from './diff.ts';
export type { Difference } from './difference.ts';
export { loadCapture, parseCapture } from './load.ts';
export { captureToHostProfile } from './to-host-profile.ts';
export { captureToKnownHost } from './to-known-host.ts';
