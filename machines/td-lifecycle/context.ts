/** The context is what the chart knows. It is plain data, so that it survives JSON, and holds no fd. */
import type { StepError } from '../step-error.ts';

export interface TdInput {
  readonly name: string;
  /** Number of vCPUs that will be created: those that start and those kept offline as headroom. */
  readonly vcpus: number;
  /** True for a destination whose kernel makes no vCPU before KVM_TDX_INIT_VM. */
  readonly initializesFirst?: boolean;
}

export interface TdContext extends Required<TdInput> {
  readonly limits: VcpuLimits | null;
  /** True once INIT_VM has succeeded, so that the TD occupies a key slot until it is released. */
  readonly holdsKeySlot: boolean;
  /** The MRTD as 96 hex digits once FINALIZE_VM has closed it, where the host can tell. */
  readonly mrtd: string | null;
  /**
   * Error of the first step that failed. It is why the TD is being taken down, if nobody asked for
   * that.
   */
  readonly error: StepError | null;
  /** What could not be given back. */
  readonly leftovers: readonly StepError[];
}

/** Four numbers bound a TD's vCPUs, and the smallest binds. */
export interface VcpuLimits {
  /** MAX_VCPUS_PER_TD of the TDX module, or null where the host cannot tell. */
  readonly module: number | null;
  /** Null under kernel rules that do not bound a TD by the CPUs that are present. */
  readonly presentCpus: number | null;
  /** KVM_MAX_VCPUS: KVM_CAP_MAX_VCPUS on /dev/kvm. */
  readonly kvm: number;
  /** KVM_CAP_MAX_VCPUS on the VM fd, or null before there is a VM. */
  readonly perVm: number | null;
}

export interface LimitsRead {
  readonly limits: VcpuLimits;
}

/** The orchestrator holds this once the step under way has come to rest. */
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
