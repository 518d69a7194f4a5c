import type { VcpuExitReason } from '../host/port.ts';

/** The vCPUs that are inside KVM_RUN. */
export interface VcpuRuns {
  readonly leaving: AbortController;
  /** Each settles when its vCPU is out for good, and never rejects. */
  readonly exits: readonly Promise<VcpuOut>[];
}

/** How a vCPU came out: it was told to, the guest is done, or the kernel refused. */
export type VcpuOut =
  | { readonly how: 'left' }
  | { readonly how: 'exited'; readonly reason: VcpuExitReason }
  | { readonly how: 'refused'; readonly error: unknown };
