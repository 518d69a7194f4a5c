import { type Design, type DesignTable, designTables } from './designs.ts';
import type { Fleet } from './fleet.ts';

export interface DesignCost extends Pick<Design, 'id' | 'title' | 'source' | 'estimate'> {
  /** Bytes of one VM of each group, in the fleet's order; undefined where it has no such thing. */
  readonly perVm: readonly (number | undefined)[];
  /** The bytes of all VMs of the fleet. */
  readonly fleetBytes: number;
}

export interface CostTable extends Pick<DesignTable, 'id' | 'title'> {
  readonly designs: readonly DesignCost[];
}

/** Tells what each design costs this fleet. A table where no VM has the thing is left out. */
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
