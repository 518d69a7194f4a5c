import type { VcpuExitReason } from '../host/port.ts';

/** These vCPUs are inside KVM_RUN. */
export interface VcpuRuns {
  readonly leaving: AbortController;
  /** Each promise settles when its vCPU is out for good, and none rejects. */
  readonly exits: readonly Promise<VcpuOut>[];
}

/** A vCPU came out because it was told to, because the guest is done, or because the kernel refused. */
export type VcpuOut =
  | { readonly how: 'left' }
  | { readonly how: 'exited'; readonly reason: VcpuExitReason }
  | { readonly how: 'refused'; readonly error: unknown };
