/** Eventfds, and the buses of a guest's I/O. */
import { checksIn } from './check.ts';
import { noMemory, unreadable, vmChecks } from './common.ts';
import { haveIrqchip } from './interrupts.ts';

const kvmMain = 'virt/kvm/kvm_main.c';

const eventfd = checksIn('fs/eventfd.c, eventfd_ctx_fdget()', {
  'eventfd.closed': {
    errno: 'EBADF',
    when: 'fd is no open descriptor',
    remedy: 'keep the eventfd open until it is deassigned',
  },
  'eventfd.other-file': {
    errno: 'EINVAL',
    when: 'fd is no eventfd',
    remedy: 'pass a descriptor of eventfd()',
  },
});

const ioBus = checksIn(`${kvmMain}, kvm_io_bus_register_dev()`, {
  'io-bus.full': {
    errno: 'ENOSPC',
    when: 'the bus has 1000 devices, not counting ioeventfds',
    remedy: 'register fewer zones of coalesced writes',
  },
});

const coalescedZone = {
  ...vmChecks,
  ...unreadable,
  ...checksIn(
    'virt/kvm/coalesced_mmio.c, kvm_vm_ioctl_register_coalesced_mmio() and kvm_vm_ioctl_unregister_coalesced_mmio()',
    {
      'coalesced-mmio.pio': {
        errno: 'EINVAL',
        when: 'pio is neither 0 nor 1',
        remedy: 'pass 0 for memory, 1 for ports',
      },
    },
  ),
};

export const eventfdChecks = {
  KVM_IRQFD: {
    ...vmChecks,
    ...unreadable,
    ...checksIn('virt/kvm/eventfd.c, kvm_irqfd() and kvm_irqfd_assign()', {
      'irqfd.flags': {
        errno: 'EINVAL',
        when: 'a flag but DEASSIGN and RESAMPLE',
        remedy: 'pass no other flag',
      },
      'irqfd.no-irqchip': {
        errno: 'EINVAL',
        when: 'the VM has no in-kernel irqchip',
        remedy: haveIrqchip,
        source: 'arch/x86/kvm/irq.c, kvm_arch_irqfd_allowed()',
      },
      'irqfd.resample-split': {
        errno: 'EINVAL',
        when: 'RESAMPLE is asked for, and the I/O APIC is not in the kernel, as it never is of a TD',
        remedy: 'leave RESAMPLE out, and let the VMM raise level-triggered interrupts',
        source: 'arch/x86/kvm/irq.c, kvm_arch_irqfd_allowed()',
      },
      ...noMemory,
      ...eventfd,
      'irqfd.resamplefd-closed': {
        errno: 'EBADF',
        when: 'resamplefd is no open descriptor',
        remedy: 'keep the eventfd open until it is deassigned',
      },
      'irqfd.resamplefd-other-file': {
        errno: 'EINVAL',
        when: 'resamplefd is no eventfd',
        remedy: 'pass a descriptor of eventfd()',
      },
      'irqfd.eventfd-taken': {
        errno: 'EBUSY',
        when: 'the eventfd has an irqfd already, of this VM or of another',
        remedy: 'deassign the other one, or use an eventfd for each interrupt',
        source: 'virt/kvm/eventfd.c, kvm_irqfd_register()',
      },
    }),
  },
  KVM_IOEVENTFD: {
    ...vmChecks,
    ...unreadable,
    ...checksIn('virt/kvm/eventfd.c, kvm_assign_ioeventfd()', {
      'ioeventfd.length': {
        errno: 'EINVAL',
        when: 'the length is none of 0, 1, 2, 4 and 8',
        remedy: 'name the width of the write, or 0 for any',
      },
      'ioeventfd.range': {
        errno: 'EINVAL',
        when: 'the address and the length wrap',
        remedy: 'name an address that the guest has',
      },
      'ioeventfd.flags': {
        errno: 'EINVAL',
        when: 'a flag that the kernel does not know',
        remedy: 'pass only DATAMATCH, PIO, DEASSIGN and VIRTIO_CCW_NOTIFY',
      },
      'ioeventfd.datamatch-without-length': {
        errno: 'EINVAL',
        when: 'DATAMATCH is asked for with the length 0',
        remedy: 'name the width of the write whose value is compared',
      },
      ...eventfd,
      ...noMemory,
      'ioeventfd.collides': {
        errno: 'EEXIST',
        when: 'a write could hit this one and another of the VM',
        remedy: 'deassign the other one, or tell them apart by length or datamatch',
        source: 'virt/kvm/eventfd.c, ioeventfd_check_collision()',
      },
      ...ioBus,
      'ioeventfd.not-there': {
        errno: 'ENOENT',
        when: 'DEASSIGN names none that the VM has',
        remedy: 'repeat address, length, datamatch and eventfd as they were assigned',
        source: 'virt/kvm/eventfd.c, kvm_deassign_ioeventfd_idx()',
      },
    }),
  },
  KVM_REGISTER_COALESCED_MMIO: { ...coalescedZone, ...noMemory, ...ioBus },
  KVM_UNREGISTER_COALESCED_MMIO: coalescedZone,
};
