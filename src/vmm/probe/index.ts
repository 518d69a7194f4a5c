export { type ProbeMemory, probeMemory } from './memory.ts';
export { type ProbeOptions, probeVmm, type VmmProgram } from './probe.ts';
