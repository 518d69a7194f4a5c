/** Requests a caller may send. Facts come back as the done and error events of the actors. */
export type MigrationEvent =
  /** Take it back. Only before the point of no return; afterwards it is not taken. */
  { readonly type: 'migration.cancel' };
