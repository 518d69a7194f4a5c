/** KVM_ENABLE_CAP(KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM) between TDs, in the series that have it. */
import { checksIn, EBADF, EBUSY, EINTR, EINVAL, EIO, ENOMEM, ENOTTY } from './check.ts';

const lost = 'the source is dead, and the TD is lost';

const v1 = 'RFC v1 of intra-host migration, April 2023';
const v2 = 'RFC v2 of intra-host migration, June 2025';

/** In the order of RFC v2; RFC v1 has them in its own (../kernels/). */
export const moveChecks = checksIn(v2, {
  'move.source-closed': EBADF(
    "the source's descriptor is not open, or is none of a VM",
    'pass the VM fd of the source, and keep it open until the move has answered',
  ),
  'move.types-differ': EINVAL(
    'the two VMs are not of one type',
    'create the destination with the type KVM_X86_TDX_VM',
  ),
  'move.same-vm': EINVAL('the source is the destination', 'create another VM as the destination'),
  'move.killed': EINTR(
    'a vCPU of either VM is in KVM_RUN, or a fatal signal came while the VMs were locked',
    'kick every vCPU out of KVM_RUN first, and repeat the move',
  ),
  'move.memslots-differ': EINVAL(
    'the memory slots of the two VMs differ in place, size, flags or guest_memfd',
    "give the destination the source's slots, on guest_memfds with the same pages",
  ),
  'move.td-states': EINVAL(
    'the source is not finalised, or the destination is',
    'finalise the source, and neither initialise nor finalise the destination',
    { leaves: lost },
  ),
  'move.cgroup-limit': EBUSY(
    'the misc cgroup of the caller, or one above it, is at its limit for `tdx`',
    'raise misc.max of the cgroup before the move',
    { leaves: lost },
  ),
  'move.no-memory': ENOMEM('there is no memory for the move', 'free memory before the move', {
    leaves: lost,
  }),
  'move.no-x2apic': EINVAL(
    'the CPUID of a vCPU of the destination has no x2APIC',
    'call KVM_SET_CPUID2 with x2APIC on every vCPU of the destination before',
    { leaves: lost },
  ),
  'move.apic-state': EINVAL(
    'the APIC state of a vCPU cannot be set at the destination',
    'make the vCPUs of the destination as those of the source are',
    { leaves: lost },
  ),
  'move.vcpu-without-partner': EIO(
    'the source has more vCPUs than the destination: an oops in the kernel',
    'give both VMs the same vCPUs',
    { leaves: 'both VMs are unusable, and the TD is lost' },
  ),
});

export const moveV1Checks = checksIn(v1, {
  'move.destination-no-td': ENOTTY(
    'the destination is no TD',
    'create the destination with the type KVM_X86_TDX_VM',
  ),
  'move.vcpu-counts-differ': EINVAL(
    'the source has another number of vCPUs than the destination, or is no TD',
    'give both VMs the same vCPUs',
    { source: `${v1}, as it was meant: posted, this error path answers success` },
  ),
  'move.td-states-kept': EINVAL(
    'the source is not finalised, or the destination is',
    'finalise the source, and neither initialise nor finalise the destination',
  ),
  'move.memslot-counts-differ': EINVAL(
    'the two VMs have a different number of memory slots',
    "give the destination the source's slots",
  ),
});
