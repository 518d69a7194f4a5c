/** What the chart knows. Plain data: it survives JSON, and holds no fd. */
import type { StepError } from '../step-error.ts';

export interface TdInput {
  readonly name: string;
  /** vCPUs that will be created: those that start and those kept offline as headroom. */
  readonly vcpus: number;
  /** As a destination: the kernel makes no vCPU before KVM_TDX_INIT_VM. */
  readonly initializesFirst?: boolean;
}

export interface TdContext extends Required<TdInput> {
  readonly limits: VcpuLimits | null;
  /** INIT_VM has succeeded, so the TD occupies a key slot until it is released. */
  readonly holdsKeySlot: boolean;
  /** 96 hex digits once FINALIZE_VM has closed it, where the host can tell. */
  readonly mrtd: string | null;
  /** The first step that failed: why the TD is being taken down, if nobody asked for it. */
  readonly error: StepError | null;
  /** What could not be given back. */
  readonly leftovers: readonly StepError[];
}

/** The four numbers that bound a TD's vCPUs; the smallest binds. */
export interface VcpuLimits {
  /** MAX_VCPUS_PER_TD of the TDX module; null where the host cannot tell. */
  readonly module: number | null;
  /** null under kernel rules that do not bound a TD by them. */
  readonly presentCpus: number | null;
  /** KVM_MAX_VCPUS: KVM_CAP_MAX_VCPUS on /dev/kvm. */
  readonly kvm: number;
  /** KVM_CAP_MAX_VCPUS on the VM fd; null before there is a VM. */
  readonly perVm: number | null;
}

export interface LimitsRead {
  readonly limits: VcpuLimits;
}

/** What the orchestrator holds once the step under way has come to rest. */
export interface Settled {
  readonly holdsKeySlot: boolean;
}

export interface Finalized {
  readonly mrtd: string | null;
}

export interface Released {
  readonly leftovers: readonly StepError[];
}

export type TdOutcome = 'destroyed' | 'failed' | 'stuck';

export interface TdOutput {
  readonly name: string;
  readonly outcome: TdOutcome;
  readonly error: StepError | null;
  readonly leftovers: readonly StepError[];
}
