import type { FoundVmm } from './context.ts';

/** A caller may send these requests. Facts come back as the done and error events of the actors. */
export type VmmTdEvent =
  /** Builds the TD. */
  | { readonly type: 'td.create' }
  /** Goes on with a VMM that is there. */
  | { readonly type: 'td.adopt'; readonly found: FoundVmm }
  /** Takes everything down. It is accepted in every state, and a repeat changes nothing. */
  | { readonly type: 'td.stop' }
  /** Enters the vCPUs of a TD that never ran. */
  | { readonly type: 'td.start' }
  | { readonly type: 'td.pause' }
  | { readonly type: 'td.resume' }
  /** Somebody else has stopped the vCPUs: another monitor of the VMM, or the VMM for a reason of its own. */
  | { readonly type: 'vmm.stopped' }
  | { readonly type: 'vmm.resumed' };
