/** Interrupt controllers, and interrupts that user space raises. */
import { checksIn, EEXIST, EFAULT, EINVAL, ENOENT, ENOTTY, ENXIO, EPERM } from './check.ts';
import { noMemory, unreadable, unwritable, vcpuChecks, vmChecks } from './common.ts';

const x86 = 'arch/x86/kvm/x86.c';
export const haveIrqchip =
  'split the irqchip (KVM_CAP_SPLIT_IRQCHIP) or create it (KVM_CREATE_IRQCHIP) before';

const pit = {
  ...checksIn(`${x86}, kvm_arch_vm_ioctl()`, {
    'create-pit.exists': EEXIST('the VM has a PIT', 'create it once'),
    'create-pit.no-pic': ENOENT(
      'the VM has no PIC in the kernel',
      'call KVM_CREATE_IRQCHIP before, or leave the timer to the VMM',
    ),
  }),
  ...noMemory,
};

const chipState = {
  ...vmChecks,
  ...unreadable,
  ...checksIn(`${x86}, kvm_arch_vm_ioctl()`, {
    'irqchip.not-in-kernel': ENXIO(
      'the VM has no PIC and no I/O APIC in the kernel',
      'ask only after KVM_CREATE_IRQCHIP: the state of a split irqchip is with the VMM',
    ),
    'irqchip.unknown-chip': EINVAL(
      'chip_id is none of 0 (PIC), 1 (second PIC) and 2 (I/O APIC)',
      'name a chip from 0 to 2',
      { source: 'arch/x86/kvm/irq.c, kvm_vm_ioctl_get_irqchip() and kvm_vm_ioctl_set_irqchip()' },
    ),
  }),
};

export const irqchipChecks = {
  KVM_CREATE_IRQCHIP: {
    ...vmChecks,
    ...checksIn(`${x86}, kvm_arch_vm_ioctl()`, {
      'create-irqchip.exists': EEXIST('the VM has an irqchip', 'create it once, or only split it'),
      'create-irqchip.td-needs-split': ENOTTY(
        'the VM is a TD, which cannot have its I/O APIC in the kernel',
        'split the irqchip: -machine q35,kernel_irqchip=split',
      ),
      'create-irqchip.too-late': EINVAL(
        'the VM has a vCPU',
        'create the irqchip before the first vCPU',
      ),
    }),
    ...noMemory,
  },
  KVM_CREATE_PIT: { ...vmChecks, ...pit },
  KVM_CREATE_PIT2: { ...vmChecks, ...unreadable, ...pit },
  KVM_GET_IRQCHIP: { ...chipState, ...unwritable },
  KVM_SET_IRQCHIP: chipState,
};

const setGsiRouting = {
  ...vmChecks,
  ...unreadable,
  ...checksIn('virt/kvm/kvm_main.c, kvm_vm_ioctl()', {
    'gsi-routing.no-irqchip': EINVAL('the VM has no in-kernel irqchip', haveIrqchip),
    'gsi-routing.too-many': EINVAL(
      'there are more than 4096 routes',
      'name at most as many routes as KVM_CAP_IRQ_ROUTING says',
    ),
    'gsi-routing.flags': EINVAL('flags is not 0', 'pass 0 in flags'),
    'gsi-routing.entries-unreadable': EFAULT(
      'the entries are unreadable',
      'pass as many entries as nr says, right behind the header',
    ),
  }),
  ...checksIn('virt/kvm/irqchip.c, kvm_set_irq_routing()', {
    'gsi-routing.gsi-range': EINVAL(
      'the GSI of an entry is not below 4096',
      'number GSIs below what KVM_CAP_IRQ_ROUTING says',
    ),
    ...noMemory,
    'gsi-routing.entry-flags': EINVAL(
      'an entry has a flag, and is not an MSI with KVM_MSI_VALID_DEVID',
      'pass 0 in the flags of an entry',
    ),
    'gsi-routing.clash': EINVAL(
      'a GSI goes to the same chip twice, or to an MSI and to something else',
      'give a GSI one MSI, or one pin of each chip',
      { source: 'virt/kvm/irqchip.c, setup_routing_entry()' },
    ),
  }),
  ...checksIn('arch/x86/kvm/irq.c, kvm_set_routing_entry()', {
    'gsi-routing.unknown-type': EINVAL(
      'the kernel does not know the type of an entry',
      'use entries of the types KVM_IRQ_ROUTING_IRQCHIP, _MSI, _HV_SINT and _XEN_EVTCHN',
    ),
    'gsi-routing.split': EINVAL(
      'an entry goes to a chip, and the irqchip is split',
      'route by MSI: the chips of a split irqchip are with the VMM',
    ),
    'gsi-routing.pin': EINVAL(
      'a chip or its pin does not exist',
      'name pins 0 to 7 of the PICs (chips 0 and 1), or 0 to 23 of the I/O APIC (chip 2)',
    ),
    'gsi-routing.msi-address': EINVAL(
      'APIC ids have 32 bits (KVM_CAP_X2APIC_API), and the low byte of address_hi is not 0',
      'leave the low byte of address_hi 0',
    ),
    'gsi-routing.xen-priority': EINVAL(
      'an entry is an event channel of Xen, and its priority is not that of two levels',
      'pass KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL',
      { source: 'arch/x86/kvm/xen.c, kvm_xen_setup_evtchn()' },
    ),
  }),
};

const irqLine = {
  ...vmChecks,
  ...unreadable,
  ...checksIn('arch/x86/kvm/irq.c, kvm_vm_ioctl_irq_line()', {
    'irq-line.no-irqchip': ENXIO('the VM has no in-kernel irqchip', haveIrqchip),
  }),
};

export const interruptChecks = {
  KVM_SET_GSI_ROUTING: setGsiRouting,
  KVM_SIGNAL_MSI: {
    ...vmChecks,
    ...unreadable,
    ...checksIn('virt/kvm/irqchip.c, kvm_send_userspace_msi()', {
      'signal-msi.no-irqchip': EINVAL('the VM has no in-kernel irqchip', haveIrqchip),
      'signal-msi.flags': EINVAL('a flag but KVM_MSI_VALID_DEVID', 'pass 0 in flags'),
      'signal-msi.address': EINVAL(
        'APIC ids have 32 bits (KVM_CAP_X2APIC_API), and the low byte of address_hi is not 0',
        'leave the low byte of address_hi 0',
        { source: 'arch/x86/kvm/irq.c, kvm_set_msi()' },
      ),
      'signal-msi.no-vcpu': EPERM(
        'the VM has no vCPU: the -1 of the delivery comes out as an errno',
        'send it once the vCPUs are there',
        { source: 'arch/x86/kvm/lapic.c, __kvm_irq_delivery_to_apic()' },
      ),
    }),
  },
  KVM_IRQ_LINE: irqLine,
  KVM_IRQ_LINE_STATUS: { ...irqLine, ...unwritable },
};

/** Events of one vCPU, and what it tells of its task priority. */
export const injectChecks = {
  KVM_NMI: vcpuChecks,
  KVM_SMI: {
    ...vcpuChecks,
    ...checksIn('arch/x86/kvm/smm.h, kvm_inject_smi()', {
      'smi.no-smm': ENOTTY(
        'the vCPU is one of a TD, which has no system management mode',
        'leave it out: no TD can have one',
      ),
    }),
  },
  KVM_INTERRUPT: {
    ...vcpuChecks,
    ...unreadable,
    ...checksIn(`${x86}, kvm_vcpu_ioctl_interrupt()`, {
      'interrupt.vector': EINVAL('the vector is above 255', 'name a vector from 0 to 255'),
      'interrupt.pic-in-kernel': ENXIO(
        'the VM has its PIC in the kernel',
        'raise the line of the PIC by KVM_IRQ_LINE',
      ),
      'interrupt.pending': EEXIST(
        'the irqchip is split, and an interrupt of the PIC waits already',
        'wait until KVM_RUN says ready_for_interrupt_injection',
      ),
    }),
  },
  KVM_TPR_ACCESS_REPORTING: {
    ...vcpuChecks,
    ...unreadable,
    ...checksIn(`${x86}, vcpu_ioctl_tpr_access_reporting()`, {
      'tpr-access-reporting.flags': EINVAL('flags is not 0', 'pass 0 in flags'),
    }),
    ...unwritable,
  },
  KVM_SET_VAPIC_ADDR: {
    ...vcpuChecks,
    ...checksIn(`${x86}, kvm_arch_vcpu_ioctl()`, {
      'set-vapic-addr.no-lapic': EINVAL(
        'the VM has no in-kernel irqchip, so that the vCPU has no local APIC there',
        haveIrqchip,
      ),
      ...unreadable,
      'set-vapic-addr.no-slot': EINVAL(
        'no memory slot lies at the address',
        'name an address in the memory of the guest, or 0',
        { source: 'arch/x86/kvm/lapic.c, kvm_lapic_set_vapic_addr()' },
      ),
    }),
  },
};
