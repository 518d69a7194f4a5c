/**
 * The checks look at these facts and nothing else. They are plain JSON, as a capture has them.
 * Secrets never enter: command lines, logs and configurations are cut down to what is listed.
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
  /** The marker file or cgroup path that shows a container; `absent` where nothing does. */
  readonly container: Reading<string>;
  /** The vendor from DMI, such as `QEMU`; a serial number is never read. */
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
  /** Bits of a physical address that the CPU shows; absent in captures of before, and where it is not said. */
  readonly addressBits?: number | undefined;
}

export interface TopologyFacts {
  readonly presentCpus: Reading<number>;
  readonly onlineCpus: Reading<number>;
  readonly packages: Reading<number>;
  readonly threadsPerCore: Reading<number>;
}

/** read/msrs.ts has their numbers and reads them. */
export type MsrName =
  | 'IA32_MKTME_KEYID_PARTITIONING'
  | 'IA32_TME_ACTIVATE'
  | 'IA32_SEAMRR_PHYS_MASK'
  | 'IA32_MTRRCAP'
  | 'SGX_AND_MCHECK_STATUS';

export interface KernelFacts {
  /** The release, such as `6.8.0-1028-intel`. */
  readonly release: Reading<string>;
  /** Only the parameters that read/kernel.ts keeps, because others may hold secrets. */
  readonly commandLine: Reading<readonly string[]>;
  /** The options about TDX, KVM, hibernation and kexec: `y`, `m` or `n`. */
  readonly config: Reading<Readonly<Record<string, string>>>;
  /** The other kernels in /boot that are built with TDX. */
  readonly otherTdxKernels: readonly string[];
  /** /sys/power/state; `disk` in it means that hibernation is available. */
  readonly powerStates: Reading<readonly string[]>;
  /** The lines of modprobe.d such as `options kvm_intel tdx=1`. */
  readonly modprobeOptions: readonly string[];
  readonly kexecLoaded: Reading<boolean>;
  /** The parameters of the modules as loaded; `absent` where a module is not loaded. */
  readonly kvmIntel: Reading<Readonly<Record<string, string>>>;
  readonly kvm: Reading<Readonly<Record<string, string>>>;
}

export interface KernelLogFacts {
  /** The lines about TDX, KVM and memory encryption, without time stamps, oldest first. */
  readonly lines: readonly string[];
  /** Whether the log has the first lines of the boot: only then an absent line says anything. */
  readonly fromBoot: boolean;
}

export interface TdxHostFacts {
  readonly version: Reading<string>;
  readonly seamldrVersion: Reading<string>;
  readonly remainingUpdates: Reading<number>;
}

export interface KeySlotFacts {
  readonly hierarchy: 'v2' | 'hybrid' | 'v1' | 'none';
  /** The N of `tdx N` in misc.capacity. */
  readonly capacity: Reading<number>;
  readonly used: Reading<number>;
  /** The cgroups that TDs are charged to, those with most slots first. */
  readonly holders: readonly SlotHolder[];
  /** The limit that leaves the fewest, of this process's cgroup and those above it. */
  readonly ownLimit: Reading<{ readonly max: number; readonly used: number }>;
}

export interface SlotHolder {
  /** The path below the root of the hierarchy: `/machine.slice/td1.scope`. */
  readonly cgroup: string;
  /** The slots charged to this cgroup itself: its own count less that of its children. */
  readonly slots: number;
  /** The processes in the cgroup itself, not its children; null where they could not be read. */
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
  /** The answers of a VM of type KVM_X86_TDX_VM, which takes no key slot; null without one. */
  readonly tdxVm: TdxVmAnswers | null;
}

export interface TdxVmAnswers {
  readonly maxVcpus: number;
  /** The masks are hex, such as `0x10000000`. */
  readonly supportedAttributes: string;
  readonly supportedXfam: string;
  readonly configurableCpuid: readonly CpuidEntry[];
}

export interface AttestationFacts {
  /** The place where a quote generation service can be reached, such as its UNIX socket. */
  readonly quoteService: Reading<string>;
  readonly registration: Reading<{ readonly complete: boolean; readonly errorCode: number }>;
}

export interface FirmwareFacts {
  readonly path: string;
  /** null where a TD can be made from the image; else the reason why not. */
  readonly problem: string | null;
}
