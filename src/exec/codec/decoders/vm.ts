/** ioctls of a VM: kvm_vm_ioctl(), kvm_arch_vm_ioctl(). */
import { capabilities } from '../../../abi/kvm/capabilities.ts';
import { KVM_MEM_GUEST_MEMFD } from '../../../abi/kvm/structs.ts';
import type { EnableCapStruct, MemoryRegionStruct } from '../../../simulator/index.ts';
import type { ClientCall } from '../index.ts';
import type { ValuesOf } from '../layout.ts';
import { structs } from '../structs.ts';
import { mapped } from '../user-structs.ts';
import { type DecoderTable, handleOf, structOf, u32, unsignedLong } from './decoder.ts';
import { tdxCommand } from './tdx.ts';

export const vmDecoders: DecoderTable = {
  KVM_CHECK_EXTENSION: ({ arg }) => ({
    request: 'KVM_CHECK_EXTENSION',
    capability: unsignedLong(arg),
  }),
  KVM_ENABLE_CAP: (call) => ({
    request: 'KVM_ENABLE_CAP',
    cap: mapped(structOf(call, structs.kvm_enable_cap), (cap) => withHandles(call, cap)),
  }),
  KVM_CREATE_IRQCHIP: () => ({ request: 'KVM_CREATE_IRQCHIP' }),
  KVM_CREATE_VCPU: ({ arg }) => ({ request: 'KVM_CREATE_VCPU', id: unsignedLong(arg) }),
  KVM_SET_BOOT_CPU_ID: ({ arg }) => ({ request: 'KVM_SET_BOOT_CPU_ID', id: unsignedLong(arg) }),
  KVM_SET_TSC_KHZ: ({ arg }) => ({ request: 'KVM_SET_TSC_KHZ', tscKhz: u32(arg) }),
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
      guestMemfd: handleOf(call, u32(fd)),
    })),
  }),
  KVM_SET_MEMORY_ATTRIBUTES: (call) => ({
    request: 'KVM_SET_MEMORY_ATTRIBUTES',
    attributes: structOf(call, structs.kvm_memory_attributes),
  }),
  KVM_MEMORY_ENCRYPT_OP: tdxCommand,
};

/** Capabilities whose first argument is the fd of a VM. */
const takesVmFd: ReadonlySet<number> = new Set([
  capabilities.KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM,
  capabilities.KVM_CAP_VM_COPY_ENC_CONTEXT_FROM,
]);

function withHandles(
  call: ClientCall,
  cap: ValuesOf<typeof structs.kvm_enable_cap.fields>,
): EnableCapStruct {
  if (!takesVmFd.has(cap.cap)) return cap;
  const [fd = 0n, ...others] = cap.args;
  const target = call.fd(u32(fd));
  return { ...cap, args: [target?.kind === 'ours' ? BigInt(target.handle) : 0n, ...others] };
}

/** The fd counts only with its flag; without it the field may hold anything. */
function withGuestMemfd(
  call: ClientCall,
  region: ValuesOf<typeof structs.kvm_userspace_memory_region2.fields>,
): MemoryRegionStruct {
  const isLookedUp = (region.flags & KVM_MEM_GUEST_MEMFD) !== 0;
  return {
    ...region,
    guestMemfd: isLookedUp ? handleOf(call, region.guestMemfd) : undefined,
  };
}
