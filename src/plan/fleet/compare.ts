import { type Design, type DesignTable, designTables } from './designs.ts';
import type { Fleet } from './fleet.ts';

export interface DesignCost extends Pick<Design, 'id' | 'title' | 'source' | 'estimate'> {
  /** Bytes of one VM of each group, in the order of the fleet; undefined: it has no such thing. */
  readonly perVm: readonly (number | undefined)[];
  /** Bytes of all VMs of the fleet. */
  readonly fleetBytes: number;
}

export interface CostTable extends Pick<DesignTable, 'id' | 'title'> {
  readonly designs: readonly DesignCost[];
}

/** What each design costs this fleet. A table is left out where no VM of the fleet has the thing. */
export function compareDesigns(fleet: Fleet): CostTable[] {
  return designTables
    .map(({ id, title, designs }) => ({
      id,
      title,
      designs: designs.map((design) => costOf(design, fleet)),
    }))
    .filter(({ designs }) =>
      designs.some(({ perVm }) => perVm.some((bytes) => bytes !== undefined)),
    );
}

function costOf(design: Design, fleet: Fleet): DesignCost {
  const { id, title, source, estimate } = design;
  const perVm = fleet.groups.map((group) => design.bytes(group, fleet));
  const fleetBytes = fleet.groups.reduce(
    (sum, { count }, index) => sum + count * (perVm[index] ?? 0),
    0,
  );
  return { id, title, source, ...(estimate === undefined ? {} : { estimate }), perVm, fleetBytes };
}
