// Every size, offset and number of state.h and run.h, as computed from the headers of Linux 7.3 on x86-64.
#include "layout.h"
#include "run.h"
#include "state.h"

namespace tdctl::uapi {

HAS_SIZE(kvm_regs, 144);
IS_AT(kvm_regs, rsp, 48);
IS_AT(kvm_regs, r8, 64);
IS_AT(kvm_regs, rip, 128);
IS_AT(kvm_regs, rflags, 136);
HAS_SIZE(kvm_sregs, 312);
HAS_SIZE(kvm_sregs2, 320);
HAS_SIZE(kvm_xsave, 4096);
HAS_SIZE(kvm_xcrs, 392);
HAS_SIZE(kvm_vcpu_events, 64);
HAS_SIZE(kvm_debugregs, 128);
HAS_SIZE(kvm_lapic_state, 1024);
HAS_SIZE(kvm_mp_state, 4);
HAS_SIZE(kvm_msr_entry, 16);
IS_AT(kvm_msr_entry, data, 8);
HAS_SIZE(kvm_msrs, 8);
HAS_SIZE(kvm_msr_list, 4);
HAS_SIZE(kvm_device_attr, 24);
IS_AT(kvm_device_attr, attr, 8);
IS_AT(kvm_device_attr, addr, 16);
HAS_SIZE(kvm_clock_data, 48);
IS_AT(kvm_clock_data, realtime, 16);
IS_AT(kvm_clock_data, host_tsc, 24);
HAS_SIZE(kvm_irqchip, 520);
IS_AT(kvm_irqchip, chip, 8);
HAS_SIZE(kvm_pit_config, 64);
HAS_SIZE(kvm_pit_state2, 112);
HAS_SIZE(kvm_irq_level, 8);
HAS_SIZE(kvm_msi, 32);
IS_AT(kvm_msi, data, 8);

HAS_SIZE(kvm_run, 2352);
IS_AT(kvm_run, immediate_exit, 1);
IS_AT(kvm_run, exit_reason, 8);
IS_AT(kvm_run, cr8, 16);
IS_AT(kvm_run, apic_base, 24);
IS_AT(kvm_run, fail_entry.cpu, 40);
IS_AT(kvm_run, io.size, 33);
IS_AT(kvm_run, io.port, 34);
IS_AT(kvm_run, io.count, 36);
IS_AT(kvm_run, io.data_offset, 40);
IS_AT(kvm_run, mmio.data, 40);
IS_AT(kvm_run, mmio.len, 48);
IS_AT(kvm_run, mmio.is_write, 52);
IS_AT(kvm_run, hypercall.args, 40);
IS_AT(kvm_run, hypercall.ret, 88);
IS_AT(kvm_run, internal.data, 40);
IS_AT(kvm_run, system_event.ndata, 36);
IS_AT(kvm_run, system_event.data, 40);
IS_AT(kvm_run, memory_fault.gpa, 40);
IS_AT(kvm_run, tdx.nr, 40);
IS_AT(kvm_run, tdx.data, 48);
IS_AT(kvm_run, kvm_valid_regs, 288);
IS_AT(kvm_run, regs, 304);

IS_NUMBER(kvm_get_msr_index_list, 0xC004AE02);
IS_NUMBER(kvm_irq_line, 0x4008AE61);
IS_NUMBER(kvm_get_irqchip, 0xC208AE62);
IS_NUMBER(kvm_set_irqchip, 0x8208AE63);
IS_NUMBER(kvm_create_pit2, 0x4040AE77);
IS_NUMBER(kvm_set_clock, 0x4030AE7B);
IS_NUMBER(kvm_get_clock, 0x8030AE7C);
IS_NUMBER(kvm_get_pit2, 0x8070AE9F);
IS_NUMBER(kvm_set_pit2, 0x4070AEA0);
IS_NUMBER(kvm_signal_msi, 0x4020AEA5);
IS_NUMBER(kvm_get_tsc_khz, 0x0000AEA3);
IS_NUMBER(kvm_run, 0x0000AE80);
IS_NUMBER(kvm_get_regs, 0x8090AE81);
IS_NUMBER(kvm_set_regs, 0x4090AE82);
IS_NUMBER(kvm_get_sregs, 0x8138AE83);
IS_NUMBER(kvm_set_sregs, 0x4138AE84);
IS_NUMBER(kvm_get_msrs, 0xC008AE88);
IS_NUMBER(kvm_set_msrs, 0x4008AE89);
IS_NUMBER(kvm_get_lapic, 0x8400AE8E);
IS_NUMBER(kvm_set_lapic, 0x4400AE8F);
IS_NUMBER(kvm_get_mp_state, 0x8004AE98);
IS_NUMBER(kvm_set_mp_state, 0x4004AE99);
IS_NUMBER(kvm_get_vcpu_events, 0x8040AE9F);
IS_NUMBER(kvm_set_vcpu_events, 0x4040AEA0);
IS_NUMBER(kvm_get_debugregs, 0x8080AEA1);
IS_NUMBER(kvm_set_debugregs, 0x4080AEA2);
IS_NUMBER(kvm_get_xsave, 0x9000AEA4);
IS_NUMBER(kvm_set_xsave, 0x5000AEA5);
IS_NUMBER(kvm_get_xcrs, 0x8188AEA6);
IS_NUMBER(kvm_set_xcrs, 0x4188AEA7);
IS_NUMBER(kvm_get_sregs2, 0x8140AECC);
IS_NUMBER(kvm_set_sregs2, 0x4140AECD);
IS_NUMBER(kvm_get_xsave2, 0x9000AECF);
IS_NUMBER(kvm_set_device_attr, 0x4018AEE1);
IS_NUMBER(kvm_get_device_attr, 0x4018AEE2);

}  // namespace tdctl::uapi
