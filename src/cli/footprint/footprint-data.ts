/** The contract of `tdctl footprint --output json` and `yaml` (docs/footprint.md). */
import {
  type CostTable,
  createdVcpus,
  type Fleet,
  idGaps,
  maxVcpuIdsOf,
  maxVcpusOf,
  moduleParameter,
} from '../../plan/fleet/index.ts';
import type { PamtView } from './host-memory.ts';

export function footprintData(
  fleet: Fleet,
  tables: readonly CostTable[],
  pamt: PamtView | undefined,
) {
  return {
    fleet: fleet.name,
    kvmMaxVcpus: fleet.kvmMaxVcpus,
    // kvm.max_vcpus would have to be this.
    moduleParameter: moduleParameter(fleet),
    vms: fleet.groups.map((group) => ({
      name: group.name,
      type: group.type,
      count: group.count,
      vcpus: group.vcpus,
      maxVcpus: group.maxVcpus,
      limit: maxVcpusOf(group, fleet),
      createdVcpus: createdVcpus(group, fleet),
      maxVcpuIds: maxVcpuIdsOf(group, fleet),
      idGaps: idGaps(group, fleet),
    })),
    tables: tables.map(({ id, title, designs }) => ({
      id,
      title,
      designs: designs.map(({ perVm, fleetBytes, estimate, ...design }) => ({
        ...design,
        estimate: estimate ?? null,
        bytesPerVm: Object.fromEntries(
          fleet.groups.map(({ name }, index) => [name, perVm[index] ?? null]),
        ),
        fleetBytes,
      })),
    })),
    // Of the host, not of its VMs: null where no host is named.
    pamt: pamt ?? null,
  };
}
