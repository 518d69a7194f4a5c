/** How a rehearsal gets between the steps: for the proofs, and to look at the machine on the way. */
import type { MigrationStateId } from '../../machines/intra-host-migration/index.ts';
import type { AroundStep } from '../orchestrator/index.ts';
import type { LiveTd } from './world.ts';

export interface RehearsalHooks {
  /** Runs in place of each step, and is given the step to run: once, twice or not at all. */
  readonly aroundStep?: AroundStep | undefined;
  /** A migration of this TD has entered a state. */
  readonly onMigrationState?: ((td: LiveTd, state: MigrationStateId) => void) | undefined;
}
