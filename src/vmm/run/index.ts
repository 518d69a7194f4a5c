export { findProcess, type StartProgram, type VmmExit } from './process.ts';
export { startVmm, type VmmRunOptions, vmmChart } from './vmm-run.ts';
