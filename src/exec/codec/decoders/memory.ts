/** The ioctls of a VM about guest memory. */
import { KVM_MEM_GUEST_MEMFD } from '../../../abi/kvm/structs.ts';
import type { MemoryRegionStruct } from '../../../simulator/index.ts';
import type { ClientCall } from '../client-call.ts';
import type { ValuesOf } from '../layout.ts';
import { structs } from '../structs.ts';
import { mapped } from '../user-structs.ts';
import { type DecoderTable, guestMemfd, pointee, structOf, u32 } from './decoder.ts';

export const memoryDecoders = {
  KVM_SET_USER_MEMORY_REGION: (call) => ({
    request: 'KVM_SET_USER_MEMORY_REGION',
    region: mapped(structOf(call, structs.kvm_userspace_memory_region), (region) => ({
      ...region,
      guestMemfdOffset: 0n,
      guestMemfd: undefined,
    })),
  }),
  KVM_SET_USER_MEMORY_REGION2: (call) => ({
    request: 'KVM_SET_USER_MEMORY_REGION2',
    region: mapped(structOf(call, structs.kvm_userspace_memory_region2), (region) =>
      withGuestMemfd(call, region),
    ),
  }),
  KVM_CREATE_GUEST_MEMFD: (call) => ({
    request: 'KVM_CREATE_GUEST_MEMFD',
    create: structOf(call, structs.kvm_create_guest_memfd),
  }),
  KVM_LINK_GUEST_MEMFD: (call) => ({
    request: 'KVM_LINK_GUEST_MEMFD',
    link: mapped(structOf(call, structs.kvm_link_guest_memfd), ({ fd, flags }) => ({
      flags,
      guestMemfd: guestMemfd(call, u32(fd)),
    })),
  }),
  KVM_SET_MEMORY_ATTRIBUTES: (call) => ({
    request: 'KVM_SET_MEMORY_ATTRIBUTES',
    attributes: structOf(call, structs.kvm_memory_attributes),
  }),
  KVM_GET_DIRTY_LOG: (call) => {
    const log = structOf(call, structs.kvm_dirty_log);
    return {
      request: 'KVM_GET_DIRTY_LOG',
      log: mapped(log, ({ slot }) => ({ slot })),
      bitmap: pointee(call, log, ({ dirtyBitmap }) => dirtyBitmap),
    };
  },
  KVM_CLEAR_DIRTY_LOG: (call) => {
    const log = structOf(call, structs.kvm_clear_dirty_log);
    return {
      request: 'KVM_CLEAR_DIRTY_LOG',
      log: mapped(log, ({ dirtyBitmap: _, ...pages }) => pages),
      bitmap: pointee(call, log, ({ dirtyBitmap }) => dirtyBitmap),
    };
  },
  KVM_MEMORY_ENCRYPT_REG_REGION: (call) => ({
    request: 'KVM_MEMORY_ENCRYPT_REG_REGION',
    region: structOf(call, structs.kvm_enc_region),
  }),
  KVM_MEMORY_ENCRYPT_UNREG_REGION: (call) => ({
    request: 'KVM_MEMORY_ENCRYPT_UNREG_REGION',
    region: structOf(call, structs.kvm_enc_region),
  }),
} satisfies DecoderTable;

/** The ioctls of a guest_memfd. */
export const guestMemfdDecoders = {
  KVM_SET_MEMORY_ATTRIBUTES2: (call) => ({
    request: 'KVM_SET_MEMORY_ATTRIBUTES2',
    attributes: structOf(call, structs.kvm_memory_attributes2),
  }),
} satisfies DecoderTable;

/** The kernel looks the fd up only where its flag is set; otherwise the field may hold anything. */
function withGuestMemfd(
  call: ClientCall,
  region: ValuesOf<typeof structs.kvm_userspace_memory_region2.fields>,
): MemoryRegionStruct {
  const isLookedUp = (region.flags & KVM_MEM_GUEST_MEMFD) !== 0;
  return { ...region, guestMemfd: isLookedUp ? guestMemfd(call, region.guestMemfd) : undefined };
}
