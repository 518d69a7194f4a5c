/**
 * The record tells why a step did not end well. It is plain data, because an `Error` loses its message
 * and its cause in a snapshot that goes through JSON. A refusal has no words here: whoever prints it
 * makes them.
 */
export type StepError = RefusedStep | FailedStep;

interface RefusedStep {
  /** Working state that met the error. */
  readonly step: string;
  readonly refusal: Refusal;
}

/**
 * The step failed for another reason than a refused request. The words are those of the code that found
 * it.
 */
interface FailedStep {
  readonly step: string;
  readonly refusal?: undefined;
  readonly code: `TDCTL_E_${string}`;
  readonly message: string;
  /** Findings under the message, one each. */
  readonly details?: readonly string[] | undefined;
  readonly hint?: string | undefined;
}

/** A refusal is what the kernel answered, all of it by the kernel's own names. */
export interface Refusal {
  readonly request: string;
  /** Capability of KVM_ENABLE_CAP or KVM_CHECK_EXTENSION. */
  readonly capability?: string | undefined;
  /** `EINVAL` and the like. */
  readonly errno: string;
  /** SEAMCALL status, 0x and 16 digits. */
  readonly hwStatus?: string | undefined;
  /** The stable name of the check that refused, where the host is simulated. */
  readonly check?: string | undefined;
  /** The leaf of the TDX module whose status was the reason, where the host is simulated. */
  readonly leaf?: FailedLeaf | undefined;
  readonly facts?: RefusalFacts | undefined;
}

export interface FailedLeaf {
  /** `TDH.MNG.KEY.CONFIG` and the like. */
  readonly name: string;
  /** Its status, 0x and 16 digits. */
  readonly status: string;
}

/** These facts were known at that moment, and may be otherwise when the words are made. */
export interface RefusalFacts {
  readonly keySlots?: { readonly total: number; readonly used: number } | undefined;
  /** KVM_CAP_MAX_VCPUS on the VM's own descriptor. */
  readonly perVmVcpus?: number | undefined;
  /** For so many milliseconds the request was repeated, as the kernel asks for, and never went on. */
  readonly repeatedMs?: number | undefined;
}
