import type { StepError } from '../step-error.ts';

/** A caller may send these requests. Facts come back as the done and error events of the actors. */
export type TdEvent =
  /** Builds the TD. */
  | { readonly type: 'td.create' }
  /** Takes everything down. It is accepted in every state, and a repeat changes nothing. */
  | { readonly type: 'td.stop' }
  /** Prepares a VM that shall receive a TD from another one. */
  | { readonly type: 'td.receive' }
  /** Enters the vCPUs of a TD that never ran. */
  | { readonly type: 'td.start' }
  | { readonly type: 'td.pause' }
  | { readonly type: 'td.resume' }
  | MigrationEvent;

/** A migration tells its two TDs these things. */
type MigrationEvent =
  /** Tells the source that nobody else may resume or stop it until the migration has decided. */
  | { readonly type: 'td.handOver' }
  /** Tells the source that it still has its TD, as it was. */
  | ({ readonly type: 'td.keep' } & Ran)
  /** Tells the source that its TD is in the destination now. */
  | { readonly type: 'td.moved' }
  /** Tells the source that the TD is in neither VM any more. */
  | { readonly type: 'td.lost'; readonly error: StepError }
  /** Tells the destination that the TD is here. */
  | ({ readonly type: 'td.arrived'; readonly mrtd: string | null } & Ran);

interface Ran {
  /** Whether its vCPUs were ever entered: one that never ran is started, and not resumed. */
  readonly hasRun: boolean;
}
