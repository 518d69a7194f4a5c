import type { StepError } from '../step-error.ts';

/** Requests a caller may send. Facts come back as the done and error events of the actors. */
export type TdEvent =
  /** Build the TD. */
  | { readonly type: 'td.create' }
  /** Take everything down. Accepted in every state; a repeat changes nothing. */
  | { readonly type: 'td.stop' }
  /** Prepare a VM that shall receive a TD from another one. */
  | { readonly type: 'td.receive' }
  /** Enter the vCPUs of a TD that never ran. */
  | { readonly type: 'td.start' }
  | { readonly type: 'td.pause' }
  | { readonly type: 'td.resume' }
  | MigrationEvent;

/** What a migration tells the two TDs. */
type MigrationEvent =
  /** To the source: nobody else may resume or stop it until the migration has decided. */
  | { readonly type: 'td.handOver' }
  /** To the source: it still has its TD. */
  | { readonly type: 'td.keep' }
  /** To the source: its TD is in the destination now. */
  | { readonly type: 'td.moved' }
  /** To the source: the TD is in neither VM any more. */
  | { readonly type: 'td.lost'; readonly error: StepError }
  /** To the destination: the TD is here. */
  | { readonly type: 'td.arrived'; readonly mrtd: string | null };
