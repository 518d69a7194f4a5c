/** Kernels that a VM starts in place of its firmware: `spec.boot`. */
export { prepareBoot } from './boot.ts';
export { type BootImages, loadBootImages } from './load-boot.ts';
export type { BootState } from './types.ts';
