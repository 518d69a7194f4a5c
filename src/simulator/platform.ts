/** A simulated machine as data. A profile file gives one; nothing here decides anything. */
import { executeCpuid, type RawCpuid } from '../abi/cpuid/raw.ts';
import type { CapabilityName } from '../abi/kvm/capabilities.ts';
import { ADDRESS_SIZES_LEAF } from '../abi/kvm/cpuid.ts';
import type { CpuidEntry } from '../abi/kvm/structs.ts';
import type { ModuleReleaseName } from '../abi/tdx/module-releases.ts';

export interface HostProfile {
  /** As `--host sim:NAME` has it. */
  readonly name: string;
  readonly description: string;
  /** Where the figures come from, or that they are made up. */
  readonly source: string;
  readonly platform: Platform;
  /** undefined: the BIOS has TDX off, or no module is loaded. */
  readonly module: InstalledModule | undefined;
  /** CONFIG_KVM_MAX_NR_VCPUS of the kernel: KVM_MAX_VCPUS. */
  readonly kvmMaxVcpus: number;
  /**
   * KVM_CHECK_EXTENSION as recorded on a real machine, where its kernel's build or its CPU decides:
   * these win over the model's on /dev/kvm and on VMs of the default type.
   */
  readonly recordedCapabilities?: Readonly<Partial<Record<CapabilityName, number>>>;
  /** TDs of other processes that hold a key slot from the start. */
  readonly foreignTds?: number;
  readonly cgroupLimits?: readonly CgroupLimit[];
}

export interface CgroupLimit {
  readonly path: string;
  /** misc.max, for the resource `tdx`. */
  readonly max?: number | undefined;
  /** memory.max. */
  readonly memoryBytes?: bigint | undefined;
}

export interface InstalledModule {
  readonly release: ModuleReleaseName;
  /** A limit other than the release's own, for a module nobody has published. */
  readonly maxVcpusPerTd?: number;
}

export interface Platform {
  readonly packages: number;
  readonly coresPerPackage: number;
  readonly threadsPerCore: number;
  /** CPUs that are present and not online. */
  readonly offlineCpus: number;
  readonly memoryBytes: bigint;
  readonly keyIds: KeyIdSplit;
  /** 5-level EPT, and with it a guest address width of 52. */
  readonly fiveLevelEpt: boolean;
  readonly tscKhz: number;
  readonly features: PlatformFeatures;
  /** The CPUs log dirty pages themselves, which takes room in a dirty ring. Absent: they do. */
  readonly pageModificationLog?: boolean;
  /** What the CPUID instruction answers on the CPUs. What KVM and the module make of it is derived. */
  readonly cpuid: RawCpuid;
  /**
   * KVM_GET_SUPPORTED_CPUID as recorded on a real machine, which wins over what would be derived.
   * Absent: derived from `cpuid`.
   */
  readonly recordedCpuid?: readonly CpuidEntry[];
}

/** IA32_MKTME_KEYID_PARTITIONING: how the BIOS splits the key IDs. */
export interface KeyIdSplit {
  readonly mktme: number;
  /** The first is the module's own; the rest are key slots for guests. */
  readonly tdxPrivate: number;
}

export interface PlatformFeatures {
  readonly tscScaling: boolean;
  readonly busLockDetection: boolean;
  readonly notifyVmExit: boolean;
  readonly pmu: boolean;
}

export function presentCpus(platform: Platform): number {
  return platform.packages * platform.coresPerPackage * platform.threadsPerCore;
}

export function onlineCpus(platform: Platform): number {
  return presentCpus(platform) - platform.offlineCpus;
}

/** Bits of host physical addresses, without the highest ones, which are key IDs. */
export function hostAddressBits({ cpuid, keyIds }: Platform): number {
  const bits = executeCpuid(cpuid, ADDRESS_SIZES_LEAF).eax & 0xff;
  const keyIdBits = Math.ceil(Math.log2(1 + keyIds.mktme + keyIds.tdxPrivate));
  return bits - keyIdBits;
}

/** The range of private key IDs: the module's own first, then those of guests. */
export function keyIdRange(split: KeyIdSplit): {
  readonly moduleKeyId: number;
  readonly firstGuest: number;
  readonly guests: number;
} {
  return {
    moduleKeyId: split.mktme + 1,
    firstGuest: split.mktme + 2,
    guests: Math.max(0, split.tdxPrivate - 1),
  };
}
