/** KVM_GET_x and KVM_SET_x of a vCPU's state: almost the same rows, in one of two orders. */
import type { VcpuStateRequestName } from '../vcpu-state.ts';
import { type Checks, checksIn, E2BIG, EBUSY, EFAULT, EINVAL } from './check.ts';
import { unreadable, unwritable, vcpuChecks } from './common.ts';
import { haveIrqchip } from './interrupts.ts';

const x86 = 'arch/x86/kvm/x86.c';
const regs = 'arch/x86/kvm/regs.c';

const protectedState = checksIn(`${x86} and regs.c, each request`, {
  'vcpu-state.protected': EINVAL(
    'the vCPU is one of a TD, whose state the TDX module keeps from KVM; the attribute DEBUG opens its registers, but neither FPU nor APIC',
    'leave it out for a TD: only the guest can tell its state',
  ),
});

/** Protected state is refused before anything is copied. */
const get = { ...vcpuChecks, ...protectedState, ...unwritable };
/** The struct is copied in first. */
const set = { ...vcpuChecks, ...unreadable, ...protectedState };

const noLapic = checksIn(`${x86}, kvm_arch_vcpu_ioctl()`, {
  'lapic-state.no-lapic': EINVAL(
    'the VM has no in-kernel irqchip, so that the vCPU has no local APIC there',
    haveIrqchip,
  ),
});

const events = checksIn(`${x86}, kvm_vcpu_ioctl_x86_set_vcpu_events()`, {
  'vcpu-events.flags': EINVAL(
    'a flag that the kernel does not know',
    'set only KVM_VCPUEVENT_VALID_ flags',
  ),
  'vcpu-events.payload-not-enabled': EINVAL(
    'VALID_PAYLOAD is set, and KVM_CAP_EXCEPTION_PAYLOAD is not enabled',
    'enable the capability on the VM before, or leave the flag out',
  ),
  'vcpu-events.vector': EINVAL(
    'an exception has a vector above 31, or that of the NMI',
    'name a vector from 0 to 31 but 2',
  ),
  'vcpu-events.triple-fault-not-enabled': EINVAL(
    'VALID_TRIPLE_FAULT is set, and KVM_CAP_X86_TRIPLE_FAULT_EVENT is not enabled',
    'enable the capability on the VM before, or leave the flag out',
    { leaves: 'every other event is set' },
  ),
});

/** SREGS and SREGS2 have them in common. */
const sregs = {
  ...checksIn(`${regs}, kvm_is_valid_sregs()`, {
    'set-sregs.mode': EINVAL(
      'EFER, CR0, CR3, CR4 and the code segment are those of no mode: 64-bit paging needs LME, LMA, PAE and a CR3 within the address width, and without it neither LMA nor CS.L may be set',
      'set the registers of one mode together',
    ),
    'set-sregs.cr4': EINVAL(
      'CR4 has a bit that is reserved, or that belongs to a feature which the guest has not; or one that VMX operation forbids or demands',
      'give the guest its CPUID first, and set only bits of what it has',
    ),
    'set-sregs.cr0': EINVAL(
      'CR0 has a bit above 31, NW without CD, or PG without PE, or lacks one that VMX operation demands',
      'set CR0 as a CPU would take it',
    ),
    'set-sregs.efer': EINVAL(
      'EFER has a bit that KVM does not support, or that belongs to a feature which the guest has not',
      'give the guest its CPUID first, and set only bits of what it has',
    ),
  }),
  ...checksIn(`${regs}, __set_sregs_common()`, {
    'set-sregs.apic-base': EINVAL(
      'the APIC base has a reserved bit or one beyond the address width, or x2APIC mode where the APIC is off or the guest has no x2APIC',
      'give back the base that KVM_GET_SREGS told, or set x2APIC together with the enable bit',
    ),
  }),
};

const nestedOff = checksIn(`${x86}, kvm_arch_vcpu_ioctl()`, {
  'nested-state.off': EINVAL(
    'KVM runs without nested virtualisation',
    'leave it out where KVM_CAP_NESTED_STATE is 0, or load kvm_intel with nested=1',
  ),
});

export const vcpuStateChecks = {
  KVM_GET_REGS: get,
  KVM_SET_REGS: set,
  KVM_GET_SREGS: get,
  KVM_SET_SREGS: { ...set, ...sregs },
  KVM_GET_SREGS2: get,
  KVM_SET_SREGS2: {
    ...vcpuChecks,
    ...protectedState,
    ...unreadable,
    ...checksIn(`${regs}, kvm_vcpu_ioctl_x86_set_sregs2()`, {
      'set-sregs2.flags': EINVAL('a flag but KVM_SREGS2_FLAGS_PDPTRS_VALID', 'pass no other flag'),
      'set-sregs2.pdptrs': EINVAL(
        'PDPTRS_VALID is set, and the registers are not those of PAE paging',
        'leave the flag out unless CR0.PG and CR4.PAE are set and EFER.LMA is clear',
      ),
    }),
    ...sregs,
  },
  KVM_GET_FPU: get,
  KVM_SET_FPU: set,
  KVM_GET_XSAVE: {
    ...vcpuChecks,
    ...checksIn(`${x86}, kvm_arch_vcpu_ioctl()`, {
      'get-xsave.too-small': EINVAL(
        'the guest has AMX, whose state does not fit the 4096 bytes of the struct',
        'ask with KVM_GET_XSAVE2, and as much room as KVM_CAP_XSAVE2 says',
      ),
    }),
    ...protectedState,
    ...unwritable,
  },
  KVM_SET_XSAVE: {
    ...set,
    ...checksIn('arch/x86/kernel/fpu/core.c, fpu_copy_uabi_to_guest_fpstate()', {
      'set-xsave.components': EINVAL(
        'XSTATE_BV has a component that KVM does not support, or AMX tiles that the guest has not',
        'set only components of XCR0 that KVM_GET_SUPPORTED_CPUID shows in leaf 0xd, and give the guest its CPUID first',
      ),
    }),
    ...checksIn('arch/x86/kernel/fpu/xstate.c, copy_uabi_to_xstate()', {
      'set-xsave.header': EINVAL(
        'XCOMP_BV or a reserved byte of the header is not 0',
        'pass the area in the standard format, with the rest of the header 0',
      ),
      'set-xsave.mxcsr': EINVAL('MXCSR has a reserved bit', 'set only the low 16 bits'),
    }),
  },
  KVM_GET_XSAVE2: get,
  KVM_GET_XCRS: get,
  KVM_SET_XCRS: {
    ...set,
    ...checksIn(`${x86}, kvm_vcpu_ioctl_x86_set_xcrs()`, {
      'set-xcrs.header': EINVAL(
        'there are more than 16 registers, or flags is not 0',
        'set XCR0 alone, with flags 0',
      ),
    }),
    ...checksIn(`${x86}, __kvm_set_xcr()`, {
      'set-xcrs.xcr0': EINVAL(
        'XCR0 lacks x87, has a component without those it needs, or one that the CPUID of the guest does not show in leaf 0xd',
        'give the guest its CPUID first, and set components as XSETBV takes them',
      ),
    }),
  },
  KVM_GET_LAPIC: { ...vcpuChecks, ...noLapic, ...protectedState, ...unwritable },
  KVM_SET_LAPIC: {
    ...vcpuChecks,
    ...noLapic,
    ...unreadable,
    ...protectedState,
    ...checksIn('arch/x86/kvm/lapic.c, kvm_apic_state_fixup()', {
      'set-lapic.id': EINVAL(
        'in x2APIC mode, and with 32-bit ids enabled by KVM_CAP_X2APIC_API, the id is not that of the vCPU',
        'leave the id as KVM_GET_LAPIC told it',
      ),
    }),
  },
  KVM_GET_DEBUGREGS: get,
  KVM_SET_DEBUGREGS: {
    ...set,
    ...checksIn(`${regs}, kvm_vcpu_ioctl_x86_set_debugregs()`, {
      'set-debugregs.flags': EINVAL('flags is not 0', 'pass 0 in flags'),
      'set-debugregs.value': EINVAL('DR6 or DR7 has a bit above 31', 'set the low 32 bits only'),
    }),
  },
  KVM_GET_VCPU_EVENTS: { ...vcpuChecks, ...unwritable },
  KVM_SET_VCPU_EVENTS: { ...vcpuChecks, ...unreadable, ...events },
  KVM_SET_GUEST_DEBUG: {
    ...set,
    ...checksIn(`${x86}, kvm_arch_vcpu_ioctl_set_guest_debug()`, {
      'set-guest-debug.exception-pending': EBUSY(
        'an exception is to be injected, and one waits already',
        'let the vCPU run, or take the exception back with KVM_SET_VCPU_EVENTS',
      ),
    }),
  },
  KVM_GET_NESTED_STATE: {
    ...vcpuChecks,
    ...nestedOff,
    ...unreadable,
    ...unwritable,
    ...checksIn(`${x86}, kvm_arch_vcpu_ioctl()`, {
      'nested-state.too-small': E2BIG(
        'size is less than the state takes',
        'ask again with as many bytes as size says now',
        { leaves: 'size is the number of bytes' },
      ),
    }),
  },
  KVM_SET_NESTED_STATE: {
    ...vcpuChecks,
    ...nestedOff,
    ...unreadable,
    ...checksIn(`${x86}, kvm_arch_vcpu_ioctl()`, {
      'nested-state.size': EINVAL(
        'size is below the 128 bytes of the header',
        'give the size that KVM_GET_NESTED_STATE told',
      ),
      'nested-state.flags': EINVAL(
        'a flag that the kernel does not know',
        'set only KVM_STATE_NESTED_ flags',
      ),
      'nested-state.run-pending': EINVAL(
        'RUN_PENDING is set without GUEST_MODE',
        'set RUN_PENDING only for a guest that is in its own guest',
      ),
    }),
    ...checksIn('arch/x86/kvm/vmx/nested.c, vmx_set_nested_state()', {
      'nested-state.format': EINVAL(
        'format is not 0, which is that of VMX',
        'restore the state of an AMD host on an AMD host',
      ),
      'nested-state.not-off': EINVAL(
        'there is no VMXON region, but an address of a VMCS, a flag other than EVMCS or a flag of SMM',
        'outside VMX operation set both addresses to all ones, and every flag to 0',
      ),
      'nested-state.no-vmx': EINVAL(
        'there is a VMXON region, and the guest has no VMX',
        'show the guest VMX with KVM_SET_CPUID2 before, or set both addresses to all ones',
      ),
      'nested-state.vmxon-address': EINVAL(
        'the address of the VMXON region is not that of a page of the guest',
        'give the address that KVM_GET_NESTED_STATE told',
      ),
      'nested-state.smm-guest-mode': EINVAL(
        'GUEST_MODE is set both in the flags and in those of SMM',
        'restore the state as KVM_GET_NESTED_STATE told it',
      ),
      'nested-state.smm-flags': EINVAL(
        'a flag of SMM that the kernel does not know',
        'set only KVM_STATE_NESTED_SMM_ flags there',
      ),
      'nested-state.vmx-flags': EINVAL(
        'a flag of VMX other than that of the preemption timer',
        'set only KVM_STATE_VMX_PREEMPTION_TIMER_DEADLINE there',
      ),
      'nested-state.outside-smm': EINVAL(
        'a flag of SMM is set, and the vCPU is not in SMM',
        'restore SMM with KVM_SET_VCPU_EVENTS before',
      ),
      'nested-state.evmcs-off': EINVAL(
        'EVMCS is set, and the guest has no VMX or no enlightened VMCS',
        'enable KVM_CAP_HYPERV_ENLIGHTENED_VMCS on the vCPU before',
      ),
      'nested-state.no-room-for-vmcs': EINVAL(
        'a VMCS is named, and size has no room for it',
        'give the VMCS, as KVM_GET_NESTED_STATE told it, behind the header',
        { leaves: 'VMX operation without a VMCS' },
      ),
      'nested-state.vmcs-address': EINVAL(
        'the address of the VMCS is that of the VMXON region, or not that of a page of the guest',
        'give the address that KVM_GET_NESTED_STATE told',
        { leaves: 'VMX operation without a VMCS' },
      ),
      'nested-state.vmcs-unreadable': EFAULT(
        'the VMCS behind the header cannot be read',
        'pass as much memory as size says',
        { leaves: 'VMX operation without a VMCS' },
      ),
      'nested-state.vmcs-revision': EINVAL(
        'the VMCS begins with another revision than 0x11e57ed0',
        'restore what KVM_GET_NESTED_STATE told',
        { leaves: 'VMX operation with that VMCS' },
      ),
      'nested-state.guest-runs': EINVAL(
        'a control or a field of the VMCS is not one with which a guest can be entered (the simulated host takes none)',
        'restore what KVM_GET_NESTED_STATE told of a running guest',
        { leaves: 'VMX operation with that VMCS, outside its guest' },
      ),
    }),
  },
} as const satisfies Record<VcpuStateRequestName, Checks>;
