/**
 * VMX as KVM 7.3 offers it to a nested hypervisor on a CPU that has all it asks for
 * (nested_vmx_setup_ctls_msrs()). The values follow from its rules and are not recorded from a machine.
 */
import { msr } from '../../../abi/kvm/msrs.ts';

/** Controls that are 1 where there are no TRUE_x MSRs: x_ALWAYSON_WITHOUT_TRUE_MSR. */
export const alwaysOn = {
  pinBased: 0x16n,
  cpuBased: 0x0401_e172n,
  exit: 0x0003_6dffn,
  entry: 0x11ffn,
} as const;

/** The high half: VM_EXIT_LOAD_CET_STATE and VM_ENTRY_LOAD_CET_STATE go with CET for guests. */
const loadCet = { exit: 1n << 60n, entry: 1n << 52n } as const;

export function vmxMsrs(options: {
  readonly hasCet: boolean;
}): readonly (readonly [number, bigint])[] {
  const withCet = (bit: bigint) => (options.hasCet ? bit : 0n);
  const pinBased = 0x0000_00ff_0000_0016n;
  const cpuBased = 0xfff9_fffe_0400_6172n;
  const exit = 0x007f_ffff_0003_6dfbn | withCet(loadCet.exit);
  const entry = 0x0000_f3ff_0000_11fbn | withCet(loadCet.entry);
  return [
    // Revision and size of KVM's own VMCS
    [msr.IA32_VMX_BASIC, 0x01d8_1000_11e5_7ed0n],
    [msr.IA32_VMX_PINBASED_CTLS, pinBased | alwaysOn.pinBased],
    [msr.IA32_VMX_PROCBASED_CTLS, cpuBased | alwaysOn.cpuBased],
    [msr.IA32_VMX_EXIT_CTLS, exit | alwaysOn.exit],
    [msr.IA32_VMX_ENTRY_CTLS, entry | alwaysOn.entry],
    [msr.IA32_VMX_MISC, 0x2000_0165n],
    [msr.IA32_VMX_CR0_FIXED0, 0x8000_0021n],
    [msr.IA32_VMX_CR0_FIXED1, 0xffff_ffffn],
    [msr.IA32_VMX_CR4_FIXED0, 0x2000n],
    [msr.IA32_VMX_CR4_FIXED1, 0x03f7_7fffn],
    [msr.IA32_VMX_VMCS_ENUM, 0x32n],
    [msr.IA32_VMX_PROCBASED_CTLS2, 0x0653_7bff_0000_0000n],
    [msr.IA32_VMX_EPT_VPID_CAP, 0x0000_0f01_0673_40c1n],
    [msr.IA32_VMX_TRUE_PINBASED_CTLS, pinBased],
    [msr.IA32_VMX_TRUE_PROCBASED_CTLS, cpuBased],
    [msr.IA32_VMX_TRUE_EXIT_CTLS, exit],
    [msr.IA32_VMX_TRUE_ENTRY_CTLS, entry],
    // EPTP switching
    [msr.IA32_VMX_VMFUNC, 0x1n],
  ];
}
