/**
 * Feature MSRs of KVM_GET_MSRS on /dev/kvm but those of VMX, in the order of their list. They are those of
 * Sapphire Rapids and later; the microcode revision is made up.
 */
import { msr } from '../../../abi/kvm/msrs.ts';

/** ARCH_CAP_TSX_CTRL_MSR: there is IA32_TSX_CTRL. */
export const archCapTsxCtrl = 1n << 7n;

/** IA32_ARCH_CAPABILITIES has what the CPU is not affected by, and its help against the rest. */
export const archCapabilities = [
  0, // RDCL_NO
  1, // IBRS_ALL
  3, // SKIP_L1DFL_VMENTRY
  5, // MDS_NO
  6, // PSCHANGE_MC_NO
  13, // SBDR_SSDP_NO
  14, // FBSDP_NO
  15, // PSDP_NO
  19, // RRSBA
  24, // PBRSB_NO
  26, // GDS_NO
  27, // RFDS_NO
  62, // ITS_NO
].reduce((mask, bit) => mask | (1n << BigInt(bit)), archCapTsxCtrl);

export const featureMsrs: readonly (readonly [number, bigint])[] = [
  [msr.IA32_UCODE_REV, 0x2b00_0643_0000_0000n],
  [msr.IA32_ARCH_CAPABILITIES, archCapabilities],
  // full-width writes; PEBS format 4, with its trap and its registers
  [msr.IA32_PERF_CAPABILITIES, 0x24c0n],
  // CPUID faulting
  [msr.PLATFORM_INFO, 0x8000_0000n],
];

/** The bits are MCG_CTL_P, MCG_CMCI_P, MCG_SER_P and MCG_LMCE_P. */
export const mceCapSupported = (1n << 8n) | (1n << 10n) | (1n << 24n) | (1n << 27n);
