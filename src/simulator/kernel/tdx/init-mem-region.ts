/**
 * KVM_TDX_INIT_MEM_REGION (kernel-abi 2.12 and 7.1): adds pages to a TD that is being built, and
 * measures them when asked. The region is written back, advanced by the pages done, however the
 * loop ends; what it added stays.
 */
import type { ErrnoName } from '../../../abi/kvm/errno.ts';
import { KVM_TDX_MEASURE_MEMORY_REGION, PAGE_SIZE } from '../../../abi/kvm/structs.ts';
import { mrExtendChunkBytes } from '../../../abi/tdx/mrtd.ts';
import { statusCodes } from '../../../abi/tdx/status.ts';
import type {
  Answer,
  Caller,
  InitMemRegionStruct,
  TdxCommandStruct,
  UserStruct,
} from '../../interface.ts';
import { pageSize } from '../../module/addresses.ts';
import { done, refuse } from '../answer.ts';
import { faultAt } from '../kernel.ts';
import { slotAt } from '../memory/memslots.ts';
import { bugVm } from '../vm/vm.ts';
import type { VcpuContext } from './context.ts';
import { addPrivatePage } from './secure-ept.ts';

const u64 = 1n << 64n;

export function initMemRegion(
  context: VcpuContext,
  caller: Caller,
  cmd: TdxCommandStruct,
  user: UserStruct<InitMemRegionStruct>,
): Answer {
  // 6-8
  if (context.tdVcpu.state !== 'INITIALIZED') return refuse('EINVAL');
  if ((cmd.flags & ~KVM_TDX_MEASURE_MEMORY_REGION) !== 0) return refuse('EINVAL');
  const region = user.read();
  if (region === undefined) return refuse('EFAULT');
  // 9
  const { sourceAddressZero } = context.kernel.abi.initMemRegion;
  if (sourceAddressZero === 'EINVAL' && region.sourceAddr === 0n) return refuse('EINVAL');
  if (!isWellFormed(region, context.td.sharedBit)) return refuse('EINVAL');

  const measure = (cmd.flags & KVM_TDX_MEASURE_MEMORY_REGION) !== 0;
  const total = Number(region.nrPages);
  let pages = 0;
  let error: ErrnoName | undefined;
  while (pages < total && error === undefined) {
    const offset = BigInt(pages) * PAGE_SIZE;
    error = addPage(
      context,
      caller,
      region.sourceAddr + offset,
      region.gpa + offset,
      measure,
      pages,
    );
    if (error === undefined) pages++;
  }
  // 19
  const moved = BigInt(pages) * PAGE_SIZE;
  const advanced = {
    sourceAddr: region.sourceAddr + moved,
    gpa: region.gpa + moved,
    nrPages: region.nrPages - BigInt(pages),
  };
  if (!user.write(advanced)) return refuse('EFAULT');
  return error === undefined ? done : refuse(error);
}

function isWellFormed(region: InitMemRegionStruct, sharedBit: number): boolean {
  const { sourceAddr, gpa, nrPages } = region;
  if (sourceAddr % PAGE_SIZE !== 0n) return false;
  if (gpa % PAGE_SIZE !== 0n || nrPages === 0n) return false;
  const size = nrPages * PAGE_SIZE;
  if (size >= u64 || gpa + size >= u64) return false;
  const shared = 1n << BigInt(sharedBit);
  return (gpa & shared) === 0n && ((gpa + size - PAGE_SIZE) & shared) === 0n;
}

/** Steps 10 to 18 for one page; undefined when it is added. */
function addPage(
  context: VcpuContext,
  caller: Caller,
  source: bigint,
  gpa: bigint,
  measure: boolean,
  page: number,
): ErrnoName | undefined {
  const { kernel, tdx, vm, td } = context;
  const gfn = Number(gpa / PAGE_SIZE);
  // 10
  if (isSignalled(context, caller, page)) return 'EINTR';
  // 11, 12
  const slot = slotAt(vm, gfn);
  if (slot?.guestMemfd === undefined) return 'EINVAL';
  const { memfd, firstPage } = slot.guestMemfd;
  if (memfd.closed) return 'EFAULT';
  // 13
  const noSource = faultAt(kernel, 'KVM_TDX_INIT_MEM_REGION: get the source page');
  if (noSource !== undefined) return noSource.errno;
  const content = caller.memory.read(source, pageSize);
  if (content === undefined) return 'EFAULT';
  // 14
  const noFolio = faultAt(kernel, 'KVM_TDX_INIT_MEM_REGION: get the guest_memfd page');
  if (noFolio !== undefined) return noFolio.errno;
  const index = firstPage + gfn - slot.baseGfn;
  const hpa = memfd.inode.pages.get(index) ?? kernel.pages.allocate();
  if (hpa === undefined) return 'ENOMEM';
  memfd.inode.pages.set(index, hpa);
  // 15, 16
  if (!vm.privateRanges.has(gfn)) return 'EINVAL';
  if (td.privatePages.has(gfn)) return 'EIO';
  // 17, 18
  const target = { gfn, hpa, inode: memfd.inode };
  const added = addPrivatePage(context, target, content, () => isSignalled(context, caller, page));
  if (added !== undefined || !measure) return added;
  const tdr = td.tdr ?? 0;
  for (let offset = 0; offset < pageSize; offset += mrExtendChunkBytes) {
    const extended = tdx.module.seamcall('TDH.MR.EXTEND', { rcx: Number(gpa) + offset, rdx: tdr });
    if (extended !== statusCodes.TDX_SUCCESS) {
      bugVm(vm);
      return 'EIO';
    }
  }
  return undefined;
}

function isSignalled({ kernel }: VcpuContext, caller: Caller, page: number): boolean {
  return caller.pendingSignal() !== 'none' || kernel.faults.signalBeforePage?.(page) === true;
}
