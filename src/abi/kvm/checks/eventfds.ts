/** Eventfds, and the buses of a guest's I/O. */
import { checksIn, EBADF, EBUSY, EEXIST, EINVAL, ENOENT, ENOSPC } from './check.ts';
import { noMemory, unreadable, vmChecks } from './common.ts';
import { haveIrqchip } from './interrupts.ts';

const kvmMain = 'virt/kvm/kvm_main.c';

export const eventfdRows = checksIn('fs/eventfd.c, eventfd_ctx_fdget()', {
  'eventfd.closed': EBADF(
    'fd is no open descriptor',
    'keep the eventfd open until it is deassigned',
  ),
  'eventfd.other-file': EINVAL('fd is no eventfd', 'pass a descriptor of eventfd()'),
});

const ioBus = checksIn(`${kvmMain}, kvm_io_bus_register_dev()`, {
  'io-bus.full': ENOSPC(
    'the bus has 1000 devices, not counting ioeventfds',
    'register fewer zones of coalesced writes',
  ),
});

const coalescedZone = {
  ...vmChecks,
  ...unreadable,
  ...checksIn(
    'virt/kvm/coalesced_mmio.c, kvm_vm_ioctl_register_coalesced_mmio() and kvm_vm_ioctl_unregister_coalesced_mmio()',
    {
      'coalesced-mmio.pio': EINVAL('pio is neither 0 nor 1', 'pass 0 for memory, 1 for ports'),
    },
  ),
};

export const eventfdChecks = {
  KVM_IRQFD: {
    ...vmChecks,
    ...unreadable,
    ...checksIn('virt/kvm/eventfd.c, kvm_irqfd() and kvm_irqfd_assign()', {
      'irqfd.flags': EINVAL('a flag but DEASSIGN and RESAMPLE', 'pass no other flag'),
      'irqfd.no-irqchip': EINVAL('the VM has no in-kernel irqchip', haveIrqchip, {
        source: 'arch/x86/kvm/irq.c, kvm_arch_irqfd_allowed()',
      }),
      'irqfd.resample-split': EINVAL(
        'RESAMPLE is asked for, and the I/O APIC is not in the kernel, as it never is of a TD',
        'leave RESAMPLE out, and let the VMM raise level-triggered interrupts',
        { source: 'arch/x86/kvm/irq.c, kvm_arch_irqfd_allowed()' },
      ),
      ...noMemory,
      ...eventfdRows,
      'irqfd.resamplefd-closed': EBADF(
        'resamplefd is no open descriptor',
        'keep the eventfd open until it is deassigned',
      ),
      'irqfd.resamplefd-other-file': EINVAL(
        'resamplefd is no eventfd',
        'pass a descriptor of eventfd()',
      ),
      'irqfd.eventfd-taken': EBUSY(
        'the eventfd has an irqfd already, of this VM or of another',
        'deassign the other one, or use an eventfd for each interrupt',
        { source: 'virt/kvm/eventfd.c, kvm_irqfd_register()' },
      ),
    }),
  },
  KVM_IOEVENTFD: {
    ...vmChecks,
    ...unreadable,
    ...checksIn('virt/kvm/eventfd.c, kvm_assign_ioeventfd()', {
      'ioeventfd.length': EINVAL(
        'the length is none of 0, 1, 2, 4 and 8',
        'name the width of the write, or 0 for any',
      ),
      'ioeventfd.range': EINVAL(
        'the address and the length wrap',
        'name an address that the guest has',
      ),
      'ioeventfd.flags': EINVAL(
        'a flag that the kernel does not know',
        'pass only DATAMATCH, PIO, DEASSIGN and VIRTIO_CCW_NOTIFY',
      ),
      'ioeventfd.datamatch-without-length': EINVAL(
        'DATAMATCH is asked for with the length 0',
        'name the width of the write whose value is compared',
      ),
      ...eventfdRows,
      ...noMemory,
      'ioeventfd.collides': EEXIST(
        'a write could hit this one and another of the VM',
        'deassign the other one, or tell them apart by length or datamatch',
        { source: 'virt/kvm/eventfd.c, ioeventfd_check_collision()' },
      ),
      ...ioBus,
      'ioeventfd.not-there': ENOENT(
        'DEASSIGN names none that the VM has',
        'repeat address, length, datamatch and eventfd as they were assigned',
        { source: 'virt/kvm/eventfd.c, kvm_deassign_ioeventfd_idx()' },
      ),
    }),
  },
  KVM_REGISTER_COALESCED_MMIO: { ...coalescedZone, ...noMemory, ...ioBus },
  KVM_UNREGISTER_COALESCED_MMIO: coalescedZone,
};
