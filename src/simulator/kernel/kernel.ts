import type { KernelAbi } from '../../abi/kvm/kernels/record.ts';
import type { ConfigurableLeaf } from '../../abi/tdx/cpuid/td-cpuid.ts';
import type { HostClock } from '../clock.ts';
import type { FaultInjector } from '../faults.ts';
import type { TdxModule } from '../module/tdx-module.ts';
import type { HostProfile } from '../platform.ts';
import type { Trace } from '../trace.ts';
import type { FileTable } from './files.ts';
import type { KeyIdPool } from './key-ids.ts';
import type { DynamicPamt } from './memory/dynamic-pamt.ts';
import type { MemoryCgroup } from './memory/memory-cgroup.ts';
import type { PageAllocator } from './memory/page-allocator.ts';
import type { MiscCgroup } from './misc-cgroup.ts';
import type { MsrTables } from './msrs/tables.ts';
import type { HeldLocks } from './mutex.ts';
import type { Vm } from './objects.ts';
import type { SharedStatistics } from './statistics.ts';

/** All ioctls of one machine share this state. */
export interface Kernel {
  readonly profile: HostProfile;
  readonly abi: KernelAbi;
  readonly faults: FaultInjector;
  readonly trace: Trace;
  readonly hostClock: HostClock;
  readonly msrs: MsrTables;
  readonly files: FileTable;
  readonly vms: Set<Vm>;
  /** Those of the call that is being performed, where it has waited for them. */
  locks: HeldLocks | undefined;
  nextVmId: number;
  readonly pages: PageAllocator;
  /** Undefined where all metadata of pages is static. */
  readonly pamt: DynamicPamt | undefined;
  readonly keyIds: KeyIdPool;
  readonly cgroup: MiscCgroup;
  readonly memoryCgroup: MemoryCgroup;
  /** Key IDs that a teardown could not free; lost until the machine restarts. */
  readonly leakedKeyIds: Set<number>;
  /** Called when an ioeventfd is hit: the counter is the caller's to increment. */
  readonly signalEventfd: (id: number) => void;
  readonly statistics: SharedStatistics;
  /** Undefined where KVM offers no TDs. */
  readonly tdx: TdxSupport | undefined;
}

/** KVM learned this from the module when it was loaded. */
export interface TdxSupport {
  readonly module: TdxModule;
  readonly dynamicPamt: boolean;
  readonly supportedAttributes: bigint;
  readonly supportedXfam: bigint;
  /** The module's configurable leaves as KVM passes them on. */
  readonly configurableCpuid: readonly ConfigurableLeaf[];
}
