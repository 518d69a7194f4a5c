/** Requests a caller may send. Facts come back as the done and error events of the actors. */
export type TdEvent =
  /** Build the TD. */
  | { readonly type: 'td.create' }
  /** Take everything down. Accepted in every state; a repeat changes nothing. */
  | { readonly type: 'td.stop' };
