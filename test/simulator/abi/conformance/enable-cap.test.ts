import { conforms } from './conforms.ts';

conforms('ENABLE_CAP', [
  {
    step: '1',
    title: 'SPLIT_IRQCHIP with too many routes',
    errno: 'EINVAL',
    call: (driver) => driver.cap(driver.createVm(), 'KVM_CAP_SPLIT_IRQCHIP', 4097n),
  },
  {
    step: '2',
    title: 'SPLIT_IRQCHIP twice',
    errno: 'EEXIST',
    call: (driver) => driver.cap(driver.createTd(), 'KVM_CAP_SPLIT_IRQCHIP', 24n),
  },
  {
    step: '1',
    title: 'X2APIC_API, unknown bits',
    errno: 'EINVAL',
    call: (driver) => driver.cap(driver.createTd(), 'KVM_CAP_X2APIC_API', 0x10n),
  },
  {
    step: '1',
    title: 'EXIT_HYPERCALL, unknown bits',
    errno: 'EINVAL',
    call: (driver) => driver.cap(driver.createTd(), 'KVM_CAP_EXIT_HYPERCALL', 1n),
  },
  {
    step: '1',
    title: 'MAX_VCPU_ID above KVM_MAX_VCPU_IDS',
    errno: 'EINVAL',
    call: (driver) => driver.cap(driver.createTd(), 'KVM_CAP_MAX_VCPU_ID', 4097n),
  },
  {
    step: '2',
    title: 'APIC_BUS_CYCLES without an irqchip',
    errno: 'ENXIO',
    call: (driver) => driver.cap(driver.createVm(), 'KVM_CAP_X86_APIC_BUS_CYCLES_NS', 40n),
  },
  {
    step: '2',
    title: "PMU_CAPABILITY: a TD's must be off",
    errno: 'EINVAL',
    call: (driver) => driver.cap(driver.createTd(), 'KVM_CAP_PMU_CAPABILITY', 0n),
  },
  {
    step: '1',
    title: 'COPY_ENC_CONTEXT_FROM',
    errno: 'EINVAL',
    call: (driver) => driver.cap(driver.createTd(), 'KVM_CAP_VM_COPY_ENC_CONTEXT_FROM', 1n),
  },
]);
