export { type GroupField, groupProblems } from './check-group.ts';
export { type CostTable, compareDesigns, type DesignCost } from './compare.ts';
export { xarrayBytes } from './designs.ts';
export {
  createdVcpus,
  type Fleet,
  idGaps,
  kvmMaxVcpusRange,
  maxVcpuIdsOf,
  maxVcpusOf,
  moduleParameter,
  type VmGroup,
} from './fleet.ts';
