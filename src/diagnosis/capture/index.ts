export { captureOf, type HostCapture } from './capture.ts';
export { type Difference, diffHosts } from './diff.ts';
export { loadCapture, parseCapture } from './load.ts';
export { captureToHostProfile } from './to-host-profile.ts';
export { captureToKnownHost } from './to-known-host.ts';
