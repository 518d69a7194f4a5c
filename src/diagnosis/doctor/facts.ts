/**
 * Everything the checks look at, and nothing else: plain JSON, so that a capture holds the same.
 * Secrets never enter: command lines, logs and configurations are cut down to what is listed here.
 */
import type { CpuidEntry } from '../../abi/kvm/structs.ts';
import type { Reading } from './reading.ts';

export interface DoctorFacts {
  readonly environment: EnvironmentFacts;
  readonly cpu: Reading<CpuFacts>;
  readonly topology: TopologyFacts;
  readonly msrs: Readonly<Record<MsrName, Reading<string>>>;
  readonly kernel: KernelFacts;
  readonly log: Reading<KernelLogFacts>;
  readonly tdxHost: TdxHostFacts;
  readonly keySlots: KeySlotFacts;
  readonly memory: Reading<MemoryFacts>;
  readonly kvm: KvmFacts;
  readonly attestation: AttestationFacts;
  readonly firmware: Reading<readonly FirmwareFacts[]>;
}

export interface EnvironmentFacts {
  /** What says that this is a container: a marker file or a cgroup path. `absent`: nothing does. */
  readonly container: Reading<string>;
  /** From DMI, such as `QEMU`; never a serial number. */
  readonly vendor: Reading<string>;
}

export interface CpuFacts {
  readonly vendor: string;
  readonly family: number | null;
  readonly model: number | null;
  readonly modelName: string;
  readonly microcode: string;
  readonly flags: readonly string[];
  readonly bugs: readonly string[];
}

export interface TopologyFacts {
  readonly presentCpus: Reading<number>;
  readonly onlineCpus: Reading<number>;
  readonly packages: Reading<number>;
  readonly threadsPerCore: Reading<number>;
}

/** Numbers, bits and the reader: read/msrs.ts. */
export type MsrName =
  | 'IA32_MKTME_KEYID_PARTITIONING'
  | 'IA32_TME_ACTIVATE'
  | 'IA32_SEAMRR_PHYS_MASK';

export interface KernelFacts {
  /** `6.8.0-1028-intel`. */
  readonly release: Reading<string>;
  /** Only the parameters of read/kernel.ts: others may hold secrets. */
  readonly commandLine: Reading<readonly string[]>;
  /** Options about TDX, KVM, hibernation and kexec: `y`, `m` or `n`. */
  readonly config: Reading<Readonly<Record<string, string>>>;
  /** Other kernels in /boot that are built with TDX. */
  readonly otherTdxKernels: readonly string[];
  /** /sys/power/state: `disk` in it means that hibernation is available. */
  readonly powerStates: Reading<readonly string[]>;
  /** `options kvm_intel tdx=1` of modprobe.d. */
  readonly modprobeOptions: readonly string[];
  readonly kexecLoaded: Reading<boolean>;
  /** Parameters of the modules as loaded; `absent`: not loaded. */
  readonly kvmIntel: Reading<Readonly<Record<string, string>>>;
  readonly kvm: Reading<Readonly<Record<string, string>>>;
}

export interface KernelLogFacts {
  /** Lines about TDX, KVM and memory encryption, without time stamps, oldest first. */
  readonly lines: readonly string[];
  /** Whether the first lines of the boot are still in it: only then an absent line says anything. */
  readonly fromBoot: boolean;
}

export interface TdxHostFacts {
  readonly version: Reading<string>;
  readonly seamldrVersion: Reading<string>;
  readonly remainingUpdates: Reading<number>;
}

export interface KeySlotFacts {
  readonly hierarchy: 'v2' | 'hybrid' | 'v1' | 'none';
  /** `tdx N` of misc.capacity. */
  readonly capacity: Reading<number>;
  readonly used: Reading<number>;
  /** Cgroups that TDs are charged to, most slots first. */
  readonly holders: readonly SlotHolder[];
  /** Of this process's cgroup and those above it, the one whose misc.max leaves the fewest. */
  readonly ownLimit: Reading<{ readonly max: number; readonly used: number }>;
}

export interface SlotHolder {
  /** Below the root of the hierarchy: `/machine.slice/td1.scope`. */
  readonly cgroup: string;
  /** Charged to this cgroup itself: its own count less that of its children. */
  readonly slots: number;
  /** In the cgroup itself, children not counted; null where it could not be read. */
  readonly processes: number | null;
}

export interface MemoryFacts {
  readonly totalKib: number;
  readonly availableKib: number | null;
}

export interface KvmFacts {
  readonly device: Reading<{
    readonly mode: string;
    readonly owner: string;
    readonly group: string;
  }>;
  /** What open("/dev/kvm") answered: `ok`, or the name of the errno. */
  readonly open: Reading<string>;
  readonly answers: Reading<KvmAnswers>;
}

export interface KvmAnswers {
  readonly apiVersion: number;
  readonly capabilities: Readonly<Record<string, number>>;
  readonly supportedCpuid: readonly CpuidEntry[];
  /** Asked on a VM of type KVM_X86_TDX_VM, which takes no key slot; null where there is none. */
  readonly tdxVm: TdxVmAnswers | null;
}

export interface TdxVmAnswers {
  readonly maxVcpus: number;
  /** Hex, such as `0x10000000`. */
  readonly supportedAttributes: string;
  readonly supportedXfam: string;
  readonly configurableCpuid: readonly CpuidEntry[];
}

export interface AttestationFacts {
  /** Where a quote generation service can be reached, such as its UNIX socket. */
  readonly quoteService: Reading<string>;
  readonly registration: Reading<{ readonly complete: boolean; readonly errorCode: number }>;
}

export interface FirmwareFacts {
  readonly path: string;
  /** null: TDVF metadata found, and a TD can be made from it; else why not. */
  readonly problem: string | null;
}
