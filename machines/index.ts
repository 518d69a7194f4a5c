/** The registry has every statechart of tdctl, with its id and version. */
import {
  INTRA_HOST_MIGRATION_VERSION,
  intraHostMigration,
  migrationSteps,
  migrationTags,
} from './intra-host-migration/index.ts';
import {
  destinationSteps,
  runSteps,
  TD_LIFECYCLE_VERSION,
  tdLifecycle,
  tdSteps,
  tdTags,
  teardownSteps,
} from './td-lifecycle/index.ts';
import {
  VMM_TD_VERSION,
  vmmRunSteps,
  vmmSteps,
  vmmTags,
  vmmTd,
  vmmTeardownSteps,
} from './vmm-td/index.ts';

export const machines = [
  {
    id: tdLifecycle.id,
    version: TD_LIFECYCLE_VERSION,
    machine: tdLifecycle,
    steps: [...tdSteps, ...destinationSteps, ...runSteps, ...teardownSteps],
    tags: tdTags,
    /** The border of a state with such a tag is drawn as a line that is crossed once. */
    borderTag: undefined,
  },
  {
    id: intraHostMigration.id,
    version: INTRA_HOST_MIGRATION_VERSION,
    machine: intraHostMigration,
    steps: migrationSteps,
    tags: migrationTags,
    borderTag: 'pointOfNoReturn',
  },
  {
    id: vmmTd.id,
    version: VMM_TD_VERSION,
    machine: vmmTd,
    steps: [...vmmSteps, ...vmmRunSteps, ...vmmTeardownSteps],
    tags: vmmTags,
    borderTag: undefined,
  },
] as const;
