/** What a simulated machine holds at one moment, as plain data. */

import type { TdState } from '../abi/kvm/kernels/record.ts';
import type { Kernel } from './kernel/kernel.ts';
import type { CgroupUsage } from './kernel/misc-cgroup.ts';
import type { Vm } from './kernel/objects.ts';
import type { Hpa } from './module/addresses.ts';
import type { KeyEntry } from './module/key-ownership-table.ts';
import type { LifecycleState, OpState, PageType } from './module/states.ts';

export interface Snapshot {
  readonly clock: ClockSnapshot;
  readonly keySlots: KeySlotCounts;
  /** One row for each guest key ID, in order. */
  readonly keyIds: readonly { readonly hkid: number; readonly state: KeySlotState }[];
  /** Pages that the TDX module holds, by type. */
  readonly pages: Readonly<Record<PageType, number>>;
  /** The kernel's own count of pages that it gave out, and of those it cannot get back. */
  readonly hostPages: { readonly inUse: number; readonly leaked: number };
  /** Pages of a TD that two VMs of the kernel both think theirs. */
  readonly pagesOfTwoVms: number;
  /** Open file descriptions. */
  readonly handles: number;
  readonly vms: readonly VmSnapshot[];
  readonly cgroups: readonly CgroupUsage[];
}

/** Simulated nanoseconds; the machine was ready for its first ioctl at `bootNs`. */
export interface ClockSnapshot {
  readonly nowNs: number;
  readonly bootNs: number;
}

/**
 * `flushed`: blocked by a teardown that has not freed it yet. `leaked`: lost until a restart.
 * `foreign`: held by a TD of another process.
 */
export type KeySlotState = 'free' | 'assigned' | 'flushed' | 'leaked' | 'foreign';
export type KeySlotCounts = Readonly<Record<KeySlotState | 'total', number>>;

export interface VmSnapshot {
  readonly id: number;
  /** The address space that made it, by which a trace tells the process. */
  readonly mm: number;
  readonly type: 'default' | 'td';
  readonly references: number;
  /** Its fd is open; without it a VM lives on for as long as other files refer to it. */
  readonly fdOpen: boolean;
  readonly dead: boolean;
  readonly bugged: boolean;
  readonly maxVcpus: number;
  readonly vcpus: readonly { readonly id: number; readonly initialized: boolean }[];
  readonly guestMemfds: number;
  readonly td: TdSnapshot | undefined;
}

export interface TdSnapshot {
  readonly state: TdState;
  /** Physical address of its TDR, which tells TDs apart also when they move; undefined: none. */
  readonly tdr: number | undefined;
  readonly hkid: number | undefined;
  /** The module's own view; undefined while it holds no TDR of this VM. */
  readonly lifecycle: LifecycleState | undefined;
  readonly opState: OpState | undefined;
  readonly privatePages: number;
  /** Pages of the module that belong to this TD, the TDR included. */
  readonly modulePages: number;
}

export function takeSnapshot(
  kernel: Kernel,
  around: { readonly clock: ClockSnapshot; readonly foreignKeyIds: readonly number[] },
): Snapshot {
  const openVms = vmsWithFd(kernel);
  const { keyIds, counts } = keySlots(kernel, new Set(around.foreignKeyIds));
  return {
    clock: around.clock,
    keySlots: { total: kernel.keyIds.total, ...counts },
    keyIds,
    pages: kernel.tdx?.module.pages.counts ?? noPages,
    hostPages: kernel.pages.counts,
    pagesOfTwoVms: pagesOfTwoVms(kernel),
    handles: kernel.files.size,
    vms: [...kernel.vms].map((vm) => vmSnapshot(kernel, vm, openVms)),
    cgroups: kernel.cgroup.usage(),
  };
}

type KeySlot = Snapshot['keyIds'][number];

function keySlots(kernel: Kernel, foreign: ReadonlySet<number>) {
  const counts = { free: 0, assigned: 0, flushed: 0, leaked: 0, foreign: 0 };
  const keyIds: KeySlot[] = [];
  for (const [hkid, entry] of kernel.tdx?.module.keys.guestEntries() ?? []) {
    const state = keySlotState(kernel, { hkid, entry, foreign });
    counts[state]++;
    keyIds.push(keySlot(hkid, state));
  }
  return { keyIds, counts };
}

interface KeyIdSeen {
  readonly hkid: number;
  readonly entry: KeyEntry;
  readonly foreign: ReadonlySet<number>;
}

function keySlotState(kernel: Kernel, { hkid, entry, foreign }: KeyIdSeen): KeySlotState {
  if (foreign.has(hkid)) return 'foreign';
  if (kernel.leakedKeyIds.has(hkid)) return 'leaked';
  if (!kernel.keyIds.isUsed(hkid)) return 'free';
  return entry.state === 'FLUSHED' ? 'flushed' : 'assigned';
}

/** Snapshots share them: most key IDs are as they were in the one before. */
const known: Record<KeySlotState, KeySlot[]> = {
  ...{ free: [], assigned: [], flushed: [], leaked: [], foreign: [] },
};

function keySlot(hkid: number, state: KeySlotState): KeySlot {
  const slots = known[state];
  slots[hkid] ??= { hkid, state };
  return slots[hkid];
}

const noPages: Snapshot['pages'] = { TDR: 0, TDCX: 0, TDVPR: 0, EPT: 0, REG: 0 };

function vmsWithFd({ files }: Kernel): ReadonlySet<Vm> {
  return new Set([...files.entries()].flatMap(([, file]) => (file.kind === 'vm' ? [file.vm] : [])));
}

function vmSnapshot(kernel: Kernel, vm: Vm, openVms: ReadonlySet<Vm>): VmSnapshot {
  return {
    id: vm.id,
    mm: vm.mm,
    type: vm.isTd ? 'td' : 'default',
    references: vm.references,
    fdOpen: openVms.has(vm),
    dead: vm.dead,
    bugged: vm.bugged,
    maxVcpus: vm.maxVcpus,
    vcpus: vm.vcpus.map((vcpu) => ({
      id: vcpu.id,
      initialized: vcpu.td?.state === 'INITIALIZED',
    })),
    guestMemfds: vm.guestMemfds.size,
    td: tdSnapshot(kernel, vm),
  };
}

function tdSnapshot(kernel: Kernel, vm: Vm): TdSnapshot | undefined {
  if (vm.td === undefined) return undefined;
  const { td } = vm;
  const inModule = td.tdr === undefined ? undefined : kernel.tdx?.module.pages.get(td.tdr)?.owner;
  return {
    state: td.state,
    tdr: td.tdr,
    hkid: td.key?.hkid,
    lifecycle: inModule?.lifecycle,
    opState: inModule?.opState,
    privatePages: td.privatePages.size,
    modulePages: inModule === undefined ? 0 : inModule.childPages + 1,
  };
}

function pagesOfTwoVms(kernel: Kernel): number {
  const seen = new Set<Hpa>();
  let twice = 0;
  for (const vm of kernel.vms) {
    for (const page of pagesOf(vm)) {
      if (seen.has(page)) twice++;
      seen.add(page);
    }
  }
  return twice;
}

/** Control pages, S-EPT pages and guest pages that `struct kvm` of a TD points to. */
function* pagesOf({ td, vcpus }: Vm): IterableIterator<Hpa> {
  if (td === undefined) return;
  if (td.tdr !== undefined) yield td.tdr;
  yield* td.tdcs;
  yield* td.septTables.values();
  for (const { hpa } of td.privatePages.values()) yield hpa;
  for (const { td: vcpu } of vcpus) {
    if (vcpu?.tdvpr === undefined) continue;
    yield vcpu.tdvpr;
    yield* vcpu.tdcx;
  }
}
