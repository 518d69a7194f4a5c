/** KVM_ENABLE_CAP(KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM) between TDs, in the series that have it. */
import { checksIn } from './check.ts';

const lost = 'the source is dead, and the TD is lost';

const v1 = 'RFC v1 of intra-host migration, April 2023';
const v2 = 'RFC v2 of intra-host migration, June 2025';

/** In the order of RFC v2; RFC v1 has them in its own (../kernels/). */
export const moveChecks = checksIn(v2, {
  'move.source-closed': {
    errno: 'EBADF',
    when: "the source's descriptor is not open, or is none of a VM",
    remedy: 'pass the VM fd of the source, and keep it open until the move has answered',
  },
  'move.types-differ': {
    errno: 'EINVAL',
    when: 'the two VMs are not of one type',
    remedy: 'create the destination with the type KVM_X86_TDX_VM',
  },
  'move.same-vm': {
    errno: 'EINVAL',
    when: 'the source is the destination',
    remedy: 'create another VM as the destination',
  },
  'move.killed': {
    errno: 'EINTR',
    when: 'a vCPU of either VM is in KVM_RUN, or a fatal signal came while the VMs were locked',
    remedy: 'kick every vCPU out of KVM_RUN first, and repeat the move',
  },
  'move.memslots-differ': {
    errno: 'EINVAL',
    when: 'the memory slots of the two VMs differ in place, size, flags or guest_memfd',
    remedy: "give the destination the source's slots, on guest_memfds with the same pages",
  },
  'move.td-states': {
    errno: 'EINVAL',
    when: 'the source is not finalised, or the destination is',
    remedy: 'finalise the source, and neither initialise nor finalise the destination',
    leaves: lost,
  },
  'move.cgroup-limit': {
    errno: 'EBUSY',
    when: 'the misc cgroup of the caller, or one above it, is at its limit for `tdx`',
    remedy: 'raise misc.max of the cgroup before the move',
    leaves: lost,
  },
  'move.no-memory': {
    errno: 'ENOMEM',
    when: 'there is no memory for the move',
    remedy: 'free memory before the move',
    leaves: lost,
  },
  'move.no-x2apic': {
    errno: 'EINVAL',
    when: 'the CPUID of a vCPU of the destination has no x2APIC',
    remedy: 'call KVM_SET_CPUID2 with x2APIC on every vCPU of the destination before',
    leaves: lost,
  },
  'move.apic-state': {
    errno: 'EINVAL',
    when: 'the APIC state of a vCPU cannot be set at the destination',
    remedy: 'make the vCPUs of the destination as those of the source are',
    leaves: lost,
  },
  'move.vcpu-without-partner': {
    errno: 'EIO',
    when: 'the source has more vCPUs than the destination: an oops in the kernel',
    remedy: 'give both VMs the same vCPUs',
    leaves: 'both VMs are unusable, and the TD is lost',
  },
});

export const moveV1Checks = checksIn(v1, {
  'move.destination-no-td': {
    errno: 'ENOTTY',
    when: 'the destination is no TD',
    remedy: 'create the destination with the type KVM_X86_TDX_VM',
  },
  'move.vcpu-counts-differ': {
    errno: 'EINVAL',
    when: 'the source has another number of vCPUs than the destination, or is no TD',
    remedy: 'give both VMs the same vCPUs',
    source: `${v1}, as it was meant: posted, this error path answers success`,
  },
  'move.td-states-kept': {
    errno: 'EINVAL',
    when: 'the source is not finalised, or the destination is',
    remedy: 'finalise the source, and neither initialise nor finalise the destination',
  },
  'move.memslot-counts-differ': {
    errno: 'EINVAL',
    when: 'the two VMs have a different number of memory slots',
    remedy: "give the destination the source's slots",
  },
});
