/** What a host is, as data: the answer of `tdctl host` and the ground of every limit check. */

export type HostKind = 'kvm' | 'soft' | 'sim';

export interface KeySlots {
  /** Private key IDs for guests: those of the BIOS split less the one the module keeps. */
  readonly total: number;
  readonly used: number;
}

export interface HostFacts {
  readonly kind: HostKind;
  /** As `--host` would name it: `kvm`, `soft:spr-1.5`, `sim:gnr-2.0`. */
  readonly name: string;
  readonly kernel: {
    /** The KVM rules that answer: a release for a real kernel, an ABI name for a simulated one. */
    readonly rules: string;
    readonly apiVersion: number;
    /** KVM_ENABLE_CAP(KVM_CAP_MAX_VCPUS) exists: never in a released kernel. */
    readonly hasMaxVcpusCap: boolean;
    /** KVM_TDX_INIT_VM has a field for it: in some series and proposals, never in a release. */
    readonly takesMaxVcpusInInitVm: boolean;
    /** The CPUs of the host bound the vCPUs of a TD: so in every release that has TDX. */
    readonly presentCpusBind: boolean;
    /** A vCPU can be made before KVM_TDX_INIT_VM: what the destination of a move needs. */
    readonly vcpusBeforeInitVm: boolean;
    /** How another VM gets at private memory: by KVM_LINK_GUEST_MEMFD, by binding the same file, or not. */
    readonly sharesGuestMemory: 'link' | 'bind' | 'no';
    /** KVM_TDX_TERMINATE_VM exists: posted, not in Linux 7.3. */
    readonly hasTerminateVm: boolean;
  };
  /** undefined where the host cannot tell (a real host without the module's sysfs files). */
  readonly module:
    | { readonly release: string; readonly maxVcpusPerTd: number | undefined }
    | undefined;
  readonly platform: {
    readonly packages: number | undefined;
    readonly presentCpus: number;
    readonly onlineCpus: number;
    /** 48 or 52: the guest physical address widths the host can give. */
    readonly guestAddressWidths: readonly number[];
    readonly tscKhz: number | undefined;
  };
  readonly kvm: {
    /** KVM_MAX_VCPUS: KVM_CHECK_EXTENSION(KVM_CAP_MAX_VCPUS) on /dev/kvm. */
    readonly maxVcpus: number;
    /** KVM_MAX_VCPU_IDS. */
    readonly maxVcpuIds: number;
  };
}

/** What every kernel does that was released with TDX, Linux 6.16 and later. */
export const releasedKernel = {
  hasMaxVcpusCap: false,
  takesMaxVcpusInInitVm: false,
  presentCpusBind: true,
  // tdx_vcpu_create() gives EIO until KVM_TDX_INIT_VM has succeeded.
  vcpusBeforeInitVm: false,
  sharesGuestMemory: 'no',
  hasTerminateVm: false,
} as const satisfies Partial<HostFacts['kernel']>;

/**
 * What bounds the vCPUs of a TD; null: no bound there, or not known. The smallest of them binds
 * (bindingLimit() in machines/td-lifecycle/limits.ts).
 */
export function vcpuLimits({
  facts,
  maxVcpus,
}: {
  readonly facts: HostFacts;
  /** Known on a VM fd alone. */
  readonly maxVcpus?: number | undefined;
}) {
  return {
    module: facts.module?.maxVcpusPerTd ?? null,
    presentCpus: facts.kernel.presentCpusBind ? facts.platform.presentCpus : null,
    kvm: facts.kvm.maxVcpus,
    perVm: maxVcpus ?? null,
  };
}
