/** What a host is, as data: `tdctl host` prints it, and every check of a limit starts from it. */

export type HostKind = 'kvm' | 'soft' | 'sim';

export interface KeySlots {
  /** The private key IDs for guests: those of the BIOS split less the one the module keeps. */
  readonly total: number;
  readonly used: number;
}

/** The memory of a host, and how the TDX module keeps its metadata of pages (PAMT) there. */
export interface HostMemoryFacts {
  readonly totalBytes: bigint;
  readonly pamt: 'static' | 'dynamic';
  /** What could be handed out when the host was read: that of TDs and of the PAMT is gone from it. */
  readonly availableBytes: bigint | undefined;
  /** What memory.max of the cgroup of the caller, and of those above it, leaves; undefined: no limit is known. */
  readonly cgroupBytes: bigint | undefined;
}

export interface HostFacts {
  readonly kind: HostKind;
  /** The host as `--host` would name it: `kvm`, `soft:spr-1.5`, `sim:gnr-2.0`. */
  readonly name: string;
  readonly kernel: {
    /** The KVM rules that answer: the release of a real kernel, or the name of a simulated ABI. */
    readonly rules: string;
    readonly apiVersion: number;
    /** KVM_ENABLE_CAP(KVM_CAP_MAX_VCPUS) exists, which no released kernel has. */
    readonly hasMaxVcpusCap: boolean;
    /** KVM_TDX_INIT_VM has a field for it, as in some series and proposals and in no release. */
    readonly takesMaxVcpusInInitVm: boolean;
    /** The CPUs of the host bound the vCPUs of a TD, as in every release that has TDX. */
    readonly presentCpusBind: boolean;
    /** A vCPU can be made before KVM_TDX_INIT_VM, which the destination of a move needs. */
    readonly vcpusBeforeInitVm: boolean;
    /** `struct kvm_tdx_init_vm`: its entries follow it, or lie inside its 16384 bytes. */
    readonly initVmStruct: 'sized by nent' | 'fixed size';
    /** KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM moves TDs, as in two patch series and in no release. */
    readonly movesTds: boolean;
    /** How another VM gets at private memory: KVM_LINK_GUEST_MEMFD, the same file bound, or not. */
    readonly sharesGuestMemory: 'link' | 'bind' | 'no';
    /** What tells private guest pages from shared ones, and so is asked to convert them. */
    readonly memoryAttributesOf: 'the VM' | 'each guest_memfd';
    /** KVM_TDX_TERMINATE_VM exists. It was posted and is not in Linux 7.3. */
    readonly hasTerminateVm: boolean;
  };
  /** The module is undefined where the host has no sysfs files that tell it. */
  readonly module:
    | { readonly release: string; readonly maxVcpusPerTd: number | undefined }
    | undefined;
  readonly platform: {
    readonly packages: number | undefined;
    readonly presentCpus: number;
    readonly onlineCpus: number;
    /** The guest physical address widths that the host can give, in bits: 48 or 52. */
    readonly guestAddressWidths: readonly number[];
    readonly tscKhz: number | undefined;
  };
  readonly kvm: {
    /** KVM_MAX_VCPUS, which KVM_CHECK_EXTENSION(KVM_CAP_MAX_VCPUS) gives on /dev/kvm. */
    readonly maxVcpus: number;
    /** KVM_MAX_VCPU_IDS. */
    readonly maxVcpuIds: number;
  };
}

/** The request that makes guest memory private or shared. */
export function convertingRequest({ memoryAttributesOf }: HostFacts['kernel']) {
  return memoryAttributesOf === 'the VM'
    ? 'KVM_SET_MEMORY_ATTRIBUTES'
    : 'KVM_SET_MEMORY_ATTRIBUTES2';
}

/**
 * What bounds the vCPUs of a TD; null where there is no such bound, or it is not known. The
 * smallest bound binds (bindingLimit() in machines/td-lifecycle/limits.ts).
 */
export function vcpuLimits({
  facts,
  maxVcpus,
}: {
  readonly facts: HostFacts;
  /** The limit that a VM fd gave; nothing else tells it. */
  readonly maxVcpus?: number | undefined;
}) {
  return {
    module: facts.module?.maxVcpusPerTd ?? null,
    presentCpus: facts.kernel.presentCpusBind ? facts.platform.presentCpus : null,
    kvm: facts.kvm.maxVcpus,
    perVm: maxVcpus ?? null,
  };
}
