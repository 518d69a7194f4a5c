/** A kernel right after it has booted and loaded kvm_intel: nothing is open, and nobody has a key slot. */
import type { KernelAbi } from '../../abi/kvm/kernels/record.ts';
import { PAGE_SIZE } from '../../abi/kvm/structs.ts';
import { pamtCost } from '../../abi/tdx/pamt.ts';
import { type HostClock, virtualHostClock } from '../clock.ts';
import { moduleInitNs } from '../costs.ts';
import type { FaultInjector } from '../faults.ts';
import { type HostProfile, keyIdRange, type Platform } from '../platform.ts';
import type { Trace } from '../trace.ts';
import { type BringUp, bringUp } from './bring-up.ts';
import { FileTable } from './files.ts';
import type { Kernel } from './kernel.ts';
import { KeyIdPool } from './key-ids.ts';
import { DynamicPamt } from './memory/dynamic-pamt.ts';
import { MemoryCgroup } from './memory/memory-cgroup.ts';
import { PageAllocator } from './memory/page-allocator.ts';
import { MiscCgroup } from './misc-cgroup.ts';
import type { MsrTables } from './msrs/tables.ts';
import { SharedStatistics } from './statistics.ts';

export interface BootOptions {
  readonly profile: HostProfile;
  readonly abi: KernelAbi;
  readonly msrs: MsrTables;
  readonly faults: FaultInjector;
  /** Its clock has passed, afterwards, what the TDX module took to initialise. */
  readonly trace: Trace;
  /** Without it, the clocks of the host go by what the simulated work costs. */
  readonly hostClock: HostClock | undefined;
  readonly signalEventfd: ((id: number) => void) | undefined;
}

export function boot(options: BootOptions): { readonly kernel: Kernel; readonly bringUp: BringUp } {
  const { profile, abi, faults, trace } = options;
  const { keyIds: keyIdCounts, memoryBytes } = profile.platform;
  const loaded = bringUp(profile, abi, faults, trace);
  const tdx = loaded.outcome === 'tdx' ? loaded.tdx : undefined;
  const keyIds = new KeyIdPool(tdx === undefined ? noKeyIds : keyIdCounts);
  const pages = pageAllocatorOf(profile.platform, loaded);
  if (profile.module !== undefined && keyIdRange(keyIdCounts).guests > 0) {
    trace.clock.advance(moduleInitNs(memoryBytes));
  }
  const kernel: Kernel = {
    profile,
    abi,
    faults,
    trace,
    hostClock: options.hostClock ?? virtualHostClock(trace.clock),
    msrs: options.msrs,
    files: new FileTable(),
    vms: new Set(),
    locks: undefined,
    nextVmId: 1,
    pages,
    pamt: tdx?.dynamicPamt === true ? new DynamicPamt(pages, tdx.module) : undefined,
    keyIds,
    cgroup: new MiscCgroup(keyIds.total),
    memoryCgroup: new MemoryCgroup(),
    leakedKeyIds: new Set(),
    signalEventfd: options.signalEventfd ?? (() => {}),
    statistics: new SharedStatistics(),
    tdx,
  };
  return { kernel, bringUp: loaded };
}

const noKeyIds = { mktme: 0, tdxPrivate: 0 } as const;

/** The PAMT is taken when the module is initialised, before anybody asks for a page. */
function pageAllocatorOf({ memoryBytes }: Platform, loaded: BringUp): PageAllocator {
  if (loaded.outcome !== 'tdx') return new PageAllocator(memoryBytes);
  const { staticBytes, fixedBytes, counterBytes } = pamtCost(memoryBytes);
  const kept = loaded.tdx.dynamicPamt ? fixedBytes + counterBytes : staticBytes;
  return new PageAllocator(memoryBytes, Number(kept / PAGE_SIZE));
}
