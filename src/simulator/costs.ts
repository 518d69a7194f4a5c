/**
 * What each call costs in simulated time.
 *
 * Intel and the kernel publish no cycle counts of leaves or ioctls, so most figures are guesses of a
 * plausible size and say so. What is public are whole times, and those come out of the model:
 *
 * - Teardown, with and without KVM_TDX_TERMINATE_VM (lkml, 11 June 2025, "KVM: TDX: Add sub-ioctl
 *   KVM_TDX_TERMINATE_VM", V4 1/1): 4 vCPUs and 18 GB 72 s -> 24 s; 32 and 107 GB 517 s -> 134 s;
 *   64 and 400 GB 5539 s -> 467 s. With it, the time is in proportion to the memory: one figure fits
 *   all three within 8 %. Without it, the time of a page grows with vCPUs and memory: of the simple
 *   forms, `a + b * vCPUs * GiB` for each page fits all three within 6 %, with two figures for three
 *   points. The source does not say why a page costs more in a large TD.
 * - Module initialisation at boot: 256 GB 1.1 s, 2 TB 5.2 s (dmesg in canonical/tdx issues 135 and
 *   385). Two points make one line, so this fits exactly and proves nothing about other sizes.
 */
import type { RequestName } from '../abi/kvm/requests.ts';
import type { SeamcallName } from '../abi/tdx/seamcalls.ts';

export interface Cost {
  readonly ns: number;
  readonly source:
    | 'guess'
    | 'fitted to public teardown times'
    | 'fitted in sum; the split is a guess';
}

const guess = (microseconds: number): Cost => ({ ns: microseconds * 1000, source: 'guess' });

const pagesPerGib = 262_144;
const secondsPerGib = (seconds: number) => Math.round((seconds * 1e9) / pagesPerGib);

/** Taking one 4 KiB page out of a TD that still has its key: BLOCK, TRACK, REMOVE and WBINVD. */
const removalNs = secondsPerGib(3.8);
/** For each page, vCPU and GiB: what makes the removal from a large TD slow. Fitted, see above. */
const growthNs = (3.75e-4 * 1e9) / pagesPerGib;
const shareOfRemoval = (share: number): Cost => ({
  ns: Math.round(removalNs * share),
  source: 'fitted in sum; the split is a guess',
});

/** The leaf itself and the way into the module and back. */
export const seamcallCosts: Readonly<Record<SeamcallName, Cost>> = {
  'TDH.VP.ENTER': guess(3),
  'TDH.MNG.CREATE': guess(5),
  'TDH.MNG.KEY.CONFIG': guess(50),
  'TDH.MNG.ADDCX': guess(3),
  'TDH.MNG.INIT': guess(30),
  'TDH.MNG.RD': guess(1),
  'TDH.VP.CREATE': guess(3),
  'TDH.VP.ADDCX': guess(3),
  'TDH.VP.INIT': guess(10),
  'TDH.VP.FLUSH': guess(5),
  'TDH.VP.WR': guess(1),
  'TDH.MEM.SEPT.ADD': guess(3),
  'TDH.MEM.PAGE.ADD': guess(4),
  'TDH.MEM.PAGE.AUG': guess(3),
  'TDH.MR.EXTEND': guess(2),
  'TDH.MR.FINALIZE': guess(5),
  'TDH.MNG.VPFLUSHDONE': guess(2),
  'TDH.MNG.KEY.FREEID': guess(2),
  'TDH.MNG.KEY.RECLAIMID': guess(1),
  // Writes back all caches of a package.
  'TDH.PHYMEM.CACHE.WB': guess(5000),
  'TDH.MEM.RANGE.BLOCK': shareOfRemoval(0.2),
  'TDH.MEM.TRACK': shareOfRemoval(0.3),
  'TDH.MEM.PAGE.REMOVE': shareOfRemoval(0.3),
  'TDH.PHYMEM.PAGE.WBINVD': shareOfRemoval(0.2),
  'TDH.PHYMEM.PAMT.ADD': guess(3),
  'TDH.PHYMEM.PAMT.REMOVE': guess(3),
  // With the kernel's clearing of the page, which is most of it.
  'TDH.PHYMEM.PAGE.RECLAIM': {
    ns: secondsPerGib(1.24),
    source: 'fitted to public teardown times',
  },
};

/** The kernel's own work; the leaves that an ioctl makes come on top. */
export const ioctlCosts: Readonly<Partial<Record<RequestName, Cost>>> = {
  KVM_GET_API_VERSION: guess(0.2),
  KVM_CHECK_EXTENSION: guess(0.2),
  KVM_GET_VCPU_MMAP_SIZE: guess(0.2),
  KVM_GET_SUPPORTED_CPUID: guess(20),
  KVM_CREATE_VM: guess(500),
  KVM_CREATE_VCPU: guess(40),
  KVM_CREATE_IRQCHIP: guess(50),
  KVM_CREATE_GUEST_MEMFD: guess(5),
  KVM_ENABLE_CAP: guess(1),
  KVM_SET_TSC_KHZ: guess(0.5),
  KVM_SET_USER_MEMORY_REGION: guess(50),
  KVM_SET_USER_MEMORY_REGION2: guess(50),
  KVM_SET_MEMORY_ATTRIBUTES: guess(100),
  KVM_SET_MEMORY_ATTRIBUTES2: guess(100),
  KVM_SET_CPUID2: guess(10),
  KVM_SET_BOOT_CPU_ID: guess(0.5),
  // These wait until nobody looks at what they replace any more.
  KVM_SET_GSI_ROUTING: guess(30),
  KVM_IRQFD: guess(30),
  KVM_IOEVENTFD: guess(30),
  KVM_REGISTER_COALESCED_MMIO: guess(30),
  KVM_UNREGISTER_COALESCED_MMIO: guess(30),
  KVM_X86_SET_MSR_FILTER: guess(30),
  KVM_CREATE_PIT2: guess(50),
  KVM_GET_STATS_FD: guess(5),
  // Into the kernel and back; how long a guest runs is no cost of the host.
  KVM_RUN: guess(2),
  KVM_PRE_FAULT_MEMORY: guess(2),
  KVM_MEMORY_ENCRYPT_OP: guess(0.5),
  KVM_TDX_CAPABILITIES: guess(5),
  KVM_TDX_INIT_VM: guess(20),
  KVM_TDX_INIT_VCPU: guess(5),
  KVM_TDX_INIT_MEM_REGION: guess(2),
  KVM_TDX_FINALIZE_VM: guess(2),
  KVM_TDX_GET_CPUID: guess(50),
  KVM_TDX_TERMINATE_VM: guess(50),
};

const otherIoctlCost: Cost = guess(1);

export function ioctlCost(request: RequestName | 'unknown ioctl'): Cost {
  return request === 'unknown ioctl' ? otherIoctlCost : (ioctlCosts[request] ?? otherIoctlCost);
}

/** Moving a TD to another VM: both VMs are locked, and the tables of memory change hands. */
export const moveCost: Cost = guess(100);
/** For each vCPU, besides its leaves: registers and the state of the APIC are copied. */
export const movedVcpuCost: Cost = guess(20);

/** close() of a file description, without the teardown that it may begin. */
export const releaseCost: Cost = guess(1);

/** Boot-time initialisation of the TDX module: 0.51 s, and 2.29 ms for each GiB of memory. */
export function moduleInitNs(memoryBytes: bigint): number {
  return Math.round(0.5143e9 + 2.288e6 * gib(Number(memoryBytes)));
}

/**
 * Pages of a guest that are given back all at once, without their leaves being made one by one.
 * `key` says whether the TD still has its key slot: KVM_TDX_TERMINATE_VM takes it first.
 */
export function guestPagesTeardownNs(teardown: {
  readonly pages: number;
  readonly vcpus: number;
  readonly key: 'assigned' | 'released';
}): number {
  const { pages, vcpus, key } = teardown;
  if (key === 'released') return pages * seamcallCosts['TDH.PHYMEM.PAGE.RECLAIM'].ns;
  const perPage = removalNs + growthNs * vcpus * (pages / pagesPerGib);
  return Math.round(pages * perPage);
}

function gib(bytes: number): number {
  return bytes / 2 ** 30;
}
