/**
 * Feature MSRs of KVM_GET_MSRS on /dev/kvm, in the order of their list. The VMX ones are what KVM 7.3
 * offers a nested hypervisor on a CPU that has all it asks for (nested_vmx_setup_ctls_msrs); they
 * follow from its rules and are not recorded from a machine. The others are those of Sapphire Rapids
 * and later; the microcode revision is made up.
 */
import { msr } from '../../../abi/kvm/msrs.ts';

/** IA32_ARCH_CAPABILITIES has what the CPU is not affected by, and its help against the rest. */
const archCapabilities = [
  0, // RDCL_NO
  1, // IBRS_ALL
  3, // SKIP_L1DFL_VMENTRY
  5, // MDS_NO
  6, // PSCHANGE_MC_NO
  7, // TSX_CTRL
  13, // SBDR_SSDP_NO
  14, // FBSDP_NO
  15, // PSDP_NO
  19, // RRSBA
  24, // PBRSB_NO
  26, // GDS_NO
  27, // RFDS_NO
  62, // ITS_NO
].reduce((mask, bit) => mask | (1n << BigInt(bit)), 0n);

export const featureMsrs: ReadonlyMap<number, bigint> = new Map([
  // VMX_BASIC: revision and size of KVM's own VMCS
  [0x480, 0x01d8_1000_11e5_7ed0n],
  // PINBASED, PROCBASED, EXIT and ENTRY controls
  [0x481, 0x0000_00ff_0000_0016n],
  [0x482, 0xfff9_fffe_0401_e172n],
  [0x483, 0x107f_ffff_0003_6dffn],
  [0x484, 0x0010_f3ff_0000_11ffn],
  // MISC; CR0_FIXED0 and 1, CR4_FIXED0 and 1
  [0x485, 0x2000_0165n],
  [0x486, 0x8000_0021n],
  [0x487, 0xffff_ffffn],
  [0x488, 0x2000n],
  [0x489, 0x03f7_7fffn],
  // VMCS_ENUM, PROCBASED_CTLS2, EPT_VPID_CAP
  [0x48a, 0x32n],
  [0x48b, 0x0653_7bff_0000_0000n],
  [0x48c, 0x0000_0f01_0673_40c1n],
  // the TRUE controls: PINBASED, PROCBASED, EXIT, ENTRY
  [0x48d, 0x0000_00ff_0000_0016n],
  [0x48e, 0xfff9_fffe_0400_6172n],
  [0x48f, 0x107f_ffff_0003_6dfbn],
  [0x490, 0x0010_f3ff_0000_11fbn],
  // VMFUNC: EPTP switching
  [0x491, 0x1n],
  [msr.IA32_UCODE_REV, 0x2b00_0643_0000_0000n],
  [msr.IA32_ARCH_CAPABILITIES, archCapabilities],
  // full-width writes; PEBS format 4, with its trap and its registers
  [msr.IA32_PERF_CAPABILITIES, 0x24c0n],
  // CPUID faulting
  [msr.PLATFORM_INFO, 0x8000_0000n],
]);

/** The bits are MCG_CTL_P, MCG_CMCI_P, MCG_SER_P and MCG_LMCE_P. */
export const mceCapSupported = (1n << 8n) | (1n << 10n) | (1n << 24n) | (1n << 27n);
