/**
 * TD_PARAMS: what TDH.MNG.INIT takes, as plain data. Fields that Linux never sets (NUM_L2_VMS,
 * IA32_ARCH_CAPABILITIES) are here because the module checks them.
 * Source: Intel TDX module, include/tdx_api_defs.h (1024 bytes in memory).
 */
import type { CpuidRegisters } from '../cpuid/registers.ts';

export interface TdParams {
  readonly attributes: bigint;
  readonly xfam: bigint;
  /** 16 bits. */
  readonly maxVcpus: number;
  readonly numL2Vms: number;
  /** Bit 0: the IA32_ARCH_CAPABILITIES configuration is valid. */
  readonly msrConfigCtls: number;
  readonly eptpControls: bigint;
  readonly configFlags: bigint;
  /** In units of 25 MHz. */
  readonly tscFrequency: number;
  /** 48 bytes each. */
  readonly mrConfigId: Uint8Array;
  readonly mrOwner: Uint8Array;
  readonly mrOwnerConfig: Uint8Array;
  readonly ia32ArchCapabilitiesConfig: bigint;
  /** One row for each leaf of the release's CPUID_CONFIG_LEAVES, in that order. */
  readonly cpuidConfig: readonly CpuidRegisters[];
}

/** One unit of TSC_FREQUENCY. */
export const tscFrequencyUnitKhz = 25_000;

/** What KVM writes for a clock: it divides, drops the rest, and stores 16 bits. */
export function tscFrequencyOf(tscKhz: number): number {
  return Math.floor(tscKhz / tscFrequencyUnitKhz) & 0xffff;
}

/** The range the module takes, in those units: 100 MHz to 10 GHz. */
export const tscFrequencyRange = { min: 4, max: 400 } as const;

/** EPTP_CONTROLS the module takes: write-back, with a walk of 4 or of 5 levels. */
export const eptpControls = { fourLevels: 0x1en, fiveLevels: 0x26n } as const;

/** Bits of CONFIG_FLAGS. */
export const configFlags = {
  GPAW: 1n << 0n,
  FLEXIBLE_PENDING_VE: 1n << 1n,
  NO_RBP_MOD: 1n << 2n,
  MAXPA_VIRT: 1n << 3n,
  MAXGPA_VIRT: 1n << 4n,
} as const;
