/** Requests that a capability announces: the timer's state, filters, other hypervisors' interfaces, single registers. */
import { checksIn, E2BIG, EEXIST, EFAULT, EINVAL, ENOENT, ENXIO } from './check.ts';
import { noMemory, unreadable, unwritable, vcpuChecks, vmChecks } from './common.ts';
import { eventfdRows } from './eventfds.ts';

const x86 = 'arch/x86/kvm/x86.c';
const msrs = 'arch/x86/kvm/msrs.c';
const xen = 'arch/x86/kvm/xen.c';
const hyperv = 'arch/x86/kvm/hyperv.c';

const noPit = checksIn(`${x86}, kvm_arch_vm_ioctl()`, {
  'pit-state.no-pit': ENXIO(
    'the VM has no PIT in the kernel',
    'call KVM_CREATE_PIT2 before; the timer of a split irqchip is with the VMM',
  ),
});

const pmuEventFilter = {
  ...vmChecks,
  ...unreadable,
  ...checksIn('arch/x86/kvm/pmu.c, kvm_vm_ioctl_set_pmu_event_filter()', {
    'pmu-event-filter.action': EINVAL(
      'action is neither KVM_PMU_EVENT_ALLOW nor KVM_PMU_EVENT_DENY',
      'pass 0 or 1 in action',
    ),
    'pmu-event-filter.flags': EINVAL(
      'a flag but KVM_PMU_EVENT_FLAG_MASKED_EVENTS',
      'pass 0 or 1 in flags',
    ),
    'pmu-event-filter.too-many': E2BIG(
      'there are more than 300 events',
      'name at most 300 events, or use masked ones',
    ),
    ...noMemory,
    'pmu-event-filter.events-unreadable': EFAULT(
      'the events are unreadable',
      'pass as many events as nevents says, right behind the struct',
    ),
    'pmu-event-filter.masked-entry': EINVAL(
      'a masked event has a bit outside its select, its unit mask, the match and EXCLUDE',
      'make the events with KVM_PMU_ENCODE_MASKED_ENTRY()',
      { source: 'arch/x86/kvm/pmu.c, is_masked_filter_valid()' },
    ),
  }),
};

const xenAttr = checksIn(`${xen}, kvm_xen_hvm_set_attr() and kvm_xen_vcpu_set_attr()`, {
  'xen-attr.unknown': ENOENT(
    'there is no such attribute, or none that can be asked for',
    'use the attributes that KVM_CAP_XEN_HVM announces',
  ),
  'xen-attr.no-page': EFAULT(
    'no memory slot lies at the guest address, or the page of the VMM cannot be read',
    'set the memory slot first, or map the page',
  ),
  'xen-attr.vector': EINVAL(
    'the vector is one of an exception: below 16, and not 0',
    'name a vector from 16 on, or 0 for none',
  ),
});

const xenHvmAttr = {
  ...vmChecks,
  ...unreadable,
  'xen-attr.unknown': xenAttr['xen-attr.unknown'],
};

const xenVcpuAttr = {
  ...vcpuChecks,
  ...unreadable,
  'xen-attr.unknown': xenAttr['xen-attr.unknown'],
};

const oneReg = {
  ...vcpuChecks,
  ...unreadable,
  ...checksIn(`${msrs}, kvm_get_set_one_reg()`, {
    'one-reg.architecture': EINVAL('the id is not one of x86', 'use ids of KVM_REG_X86'),
    'one-reg.reserved': EINVAL(
      'a reserved bit of the id is set',
      'leave bits 40 to 51 of the id 0',
    ),
    'one-reg.unknown': EINVAL(
      'the id is neither an MSR nor a register that the guest has',
      'use KVM_X86_REG_MSR(), or an id that KVM_GET_REG_LIST gives',
    ),
    'one-reg.size': EINVAL('the size in the id is not 64 bits', 'use KVM_REG_SIZE_U64'),
  }),
};

const refused = checksIn(`${msrs}, kvm_get_one_msr() and kvm_set_one_msr()`, {
  'one-reg.refused': EINVAL(
    'KVM does not know the MSR, or does not take the value',
    'use MSRs of KVM_GET_MSR_INDEX_LIST, with values that the CPU would take',
  ),
});

const hypervCpuid = {
  ...unreadable,
  ...checksIn(`${hyperv}, kvm_get_hv_cpuid()`, {
    'hyperv-cpuid.too-small': E2BIG(
      'nent leaves room for fewer than the 10 entries',
      'ask again with room for more entries',
    ),
  }),
  ...unwritable,
};

export const announcedSystemChecks = {
  'KVM_GET_SUPPORTED_HV_CPUID on /dev/kvm': hypervCpuid,
};

export const announcedVmChecks = {
  KVM_GET_PIT: { ...vmChecks, ...unreadable, ...noPit, ...unwritable },
  KVM_SET_PIT: { ...vmChecks, ...unreadable, ...noPit },
  KVM_GET_PIT2: { ...vmChecks, ...noPit, ...unwritable },
  KVM_SET_PIT2: { ...vmChecks, ...unreadable, ...noPit },
  KVM_REINJECT_CONTROL: { ...vmChecks, ...unreadable, ...noPit },
  KVM_RESET_DIRTY_RINGS: {
    ...vmChecks,
    ...checksIn('virt/kvm/kvm_main.c, kvm_vm_ioctl_reset_dirty_pages()', {
      'reset-dirty-rings.no-rings': EINVAL(
        'the VM has no dirty rings',
        'enable KVM_CAP_DIRTY_LOG_RING before the first vCPU',
      ),
    }),
  },
  KVM_SET_PMU_EVENT_FILTER: pmuEventFilter,
  KVM_HYPERV_EVENTFD: {
    ...vmChecks,
    ...unreadable,
    ...checksIn(`${hyperv}, kvm_vm_ioctl_hv_eventfd()`, {
      'hyperv-eventfd.flags': EINVAL(
        'a flag but KVM_HYPERV_EVENTFD_DEASSIGN',
        'pass 0 or 1 in flags',
      ),
      'hyperv-eventfd.connection': EINVAL(
        'the connection has more than 24 bits',
        'name a connection below 0x1000000',
      ),
      'hyperv-eventfd.not-there': ENOENT(
        'the connection to be taken away has no eventfd',
        'deassign what was assigned, once',
      ),
      ...eventfdRows,
      'hyperv-eventfd.exists': EEXIST(
        'the connection has an eventfd',
        'deassign the connection before',
      ),
    }),
  },
  KVM_XEN_HVM_CONFIG: {
    ...vmChecks,
    ...unreadable,
    ...checksIn(`${xen}, kvm_xen_hvm_config()`, {
      'xen-config.flags': EINVAL(
        'a flag that user space does not enable',
        'pass at most INTERCEPT_HCALL, EVTCHN_SEND and PVCLOCK_TSC_UNSTABLE',
      ),
      'xen-config.page-given': EINVAL(
        'KVM is to make the hypercall page (INTERCEPT_HCALL), and one is given',
        'leave the blobs out',
      ),
      'xen-config.msr': EINVAL(
        'the MSR is not one of those that hypervisors make up',
        'name an MSR from 0x40000000 to 0x4fffffff, or 0',
      ),
    }),
  },
  KVM_XEN_HVM_GET_ATTR: { ...xenHvmAttr, ...unwritable },
  KVM_XEN_HVM_SET_ATTR: {
    ...xenHvmAttr,
    ...checksIn(`${xen}, kvm_xen_hvm_set_attr()`, {
      'xen-attr.page-unaligned': EINVAL(
        'the address of the shared page is not one of a page',
        'give an address that is a multiple of 4 KiB',
      ),
    }),
    'xen-attr.no-page': xenAttr['xen-attr.no-page'],
    'xen-attr.vector': xenAttr['xen-attr.vector'],
  },
  KVM_XEN_HVM_EVTCHN_SEND: {
    ...vmChecks,
    ...unreadable,
    ...checksIn(`${xen}, kvm_xen_hvm_evtchn_send() and kvm_xen_set_evtchn()`, {
      'xen-evtchn.port': EINVAL(
        'the port is 0, or not below 1024 (4096 in long mode)',
        'name a port that the guest can have',
      ),
      'xen-evtchn.priority': EINVAL(
        'the priority is not KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL',
        'pass 0xffffffff in priority',
      ),
      'xen-evtchn.no-vcpu': EINVAL('the VM has no such vCPU', 'name the id of a vCPU'),
      'xen-evtchn.no-shared-info': EINVAL(
        'the guest has no page of shared_info',
        'set KVM_XEN_ATTR_TYPE_SHARED_INFO before',
      ),
    }),
  },
};

export const announcedVcpuChecks = {
  KVM_GET_SUPPORTED_HV_CPUID: { ...vcpuChecks, ...hypervCpuid },
  KVM_TRANSLATE: { ...vcpuChecks, ...unreadable, ...unwritable },
  KVM_X86_SET_MCE: {
    ...vcpuChecks,
    ...unreadable,
    ...checksIn(`${x86}, kvm_vcpu_ioctl_x86_set_mce()`, {
      'set-mce.bank': EINVAL(
        'the vCPU has no such bank of machine checks',
        'name a bank below the number that KVM_X86_SETUP_MCE gave',
      ),
      'set-mce.status': EINVAL('the status is not valid', 'set bit 63 (VAL) of the status'),
    }),
  },
  KVM_GET_ONE_REG: {
    ...oneReg,
    ...refused,
    ...checksIn(`${msrs}, kvm_get_one_msr()`, {
      'one-reg.value-unwritable': EFAULT(
        'the value cannot be written to where addr points',
        'pass the address of 8 bytes that the process may write',
      ),
    }),
  },
  KVM_SET_ONE_REG: {
    ...oneReg,
    ...checksIn(`${msrs}, kvm_set_one_msr()`, {
      'one-reg.value-unreadable': EFAULT(
        'the value cannot be read from where addr points',
        'pass the address of 8 bytes that the process may read',
      ),
    }),
    ...refused,
  },
  KVM_GET_REG_LIST: {
    ...vcpuChecks,
    ...unreadable,
    ...unwritable,
    ...checksIn(`${msrs}, kvm_get_reg_list()`, {
      'reg-list.too-small': E2BIG(
        'n leaves room for fewer registers than there are; their number was written to it',
        'ask again with that room',
      ),
      'reg-list.ids-unwritable': EFAULT(
        'the ids cannot be written',
        'pass as much room behind n as n says',
      ),
    }),
  },
  KVM_XEN_VCPU_GET_ATTR: {
    ...xenVcpuAttr,
    ...checksIn(`${xen}, kvm_xen_vcpu_get_attr()`, {
      'xen-vcpu-attr.adjustment': EINVAL(
        'an adjustment of the times can only be made',
        'ask for KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA',
      ),
    }),
    ...unwritable,
  },
  KVM_XEN_VCPU_SET_ATTR: {
    ...xenVcpuAttr,
    ...checksIn(`${xen}, kvm_xen_vcpu_set_attr()`, {
      'xen-vcpu-attr.unaligned': ENXIO(
        'the address of vcpu_info is not a multiple of 4',
        'align the struct to 4 bytes',
      ),
      'xen-attr.no-page': xenAttr['xen-attr.no-page'],
      'xen-vcpu-attr.runstate': EINVAL(
        'there is no such state of a vCPU',
        'name a state from 0 to 3',
      ),
      'xen-vcpu-attr.runstate-sum': EINVAL(
        'the times in the four states are not the whole time',
        'pass times that add up to state_entry_time',
      ),
      'xen-vcpu-attr.runstate-future': EINVAL(
        'the state begins after what the clock of the guest shows',
        'pass a state_entry_time that has been',
      ),
      'xen-vcpu-attr.vcpu-id': EINVAL('the id is not below KVM_CAP_MAX_VCPUS', 'name a smaller id'),
      'xen-vcpu-attr.timer-priority': EINVAL(
        'the timer has a port, and another priority than KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL',
        'pass 0xffffffff in priority',
      ),
    }),
    'xen-attr.vector': xenAttr['xen-attr.vector'],
  },
};
