export { findProcess } from './process.ts';
export { startVmm, type VmmRunOptions, vmmChart } from './vmm-run.ts';
