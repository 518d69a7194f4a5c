/** A caller may send these requests. Facts come back as the done and error events of the actors. */
export type MigrationEvent =
  /** Takes the migration back before the point of no return. Afterwards the request is not taken. */
  { readonly type: 'migration.cancel' };
