/** KVM_PRE_FAULT_MEMORY (kernel-abi 2.11). Private memory of a TD is mapped with TDH.MEM.PAGE.AUG. */
import { PAGE_SIZE } from '../../../abi/kvm/structs.ts';
import type { Answer, Caller, PreFaultMemoryStruct, UserStruct } from '../../interface.ts';
import { done, type Refusal, refuse } from '../answer.ts';
import type { Kernel } from '../kernel.ts';
import type { Vcpu } from '../objects.ts';
import { augmentPrivatePage } from '../tdx/secure-ept.ts';
import { slotAt } from './memslots.ts';

const u64 = 1n << 64n;

export function preFaultMemory(
  kernel: Kernel,
  caller: Caller,
  vcpu: Vcpu,
  user: UserStruct<PreFaultMemoryStruct>,
): Answer {
  const range = user.read();
  if (range === undefined) return refuse('EFAULT');
  if (range.flags !== 0n) return refuse('EINVAL');
  if (range.gpa % PAGE_SIZE !== 0n || range.size % PAGE_SIZE !== 0n) return refuse('EINVAL');
  if (range.size === 0n || range.gpa + range.size > u64) return refuse('EINVAL');

  let { gpa, size } = range;
  let refused: Refusal | undefined;
  while (size > 0n) {
    refused = caller.pendingSignal() === 'none' ? mapPage(kernel, vcpu, gpa) : refuse('EINTR');
    if (refused !== undefined) break;
    gpa += PAGE_SIZE;
    size -= PAGE_SIZE;
  }
  if (!user.write({ ...range, gpa, size })) return refuse('EFAULT');
  return refused === undefined || size < range.size ? done : refused;
}

function mapPage(kernel: Kernel, vcpu: Vcpu, gpa: bigint): Refusal | undefined {
  const { vm } = vcpu;
  const { td } = vm;
  if (td === undefined) return slotAt(vm, Number(gpa / PAGE_SIZE)) ? undefined : refuse('ENOENT');
  if (!td.preFaultAllowed) return refuse('EOPNOTSUPP');
  if ((gpa & (1n << BigInt(td.sharedBit))) !== 0n) return refuse('EINVAL');
  const gfn = Number(gpa / PAGE_SIZE);
  const slot = slotAt(vm, gfn);
  if (slot === undefined) return refuse('ENOENT');
  if (td.privatePages.has(gfn) || !vm.privateRanges.has(gfn)) return undefined;
  if (slot.guestMemfd === undefined || slot.guestMemfd.memfd.closed) return refuse('EFAULT');
  const { memfd, firstPage } = slot.guestMemfd;
  const index = firstPage + gfn - slot.baseGfn;
  const hpa = memfd.inode.pages.get(index) ?? kernel.pages.allocate();
  if (hpa === undefined || kernel.tdx === undefined) return refuse('ENOMEM');
  memfd.inode.pages.set(index, hpa);
  const context = { kernel, tdx: kernel.tdx, vm, td };
  const errno = augmentPrivatePage(context, { gfn, hpa, inode: memfd.inode });
  return errno === undefined
    ? undefined
    : refuse(
        ({ 'no table': 'ENOMEM', busy: 'EBUSY', interrupted: 'EINTR', refused: 'EIO' } as const)[
          errno
        ],
      ); // INTERIM
}
