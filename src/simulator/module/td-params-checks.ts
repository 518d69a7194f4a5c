/** What TDH.MNG.INIT refuses in TD_PARAMS, in its order (tdx-module part 3). */
import { attributeMask } from '../../abi/tdx/attributes.ts';
import { tdxFeatures0 } from '../../abi/tdx/module-releases.ts';
import { statusCodes, statusWord } from '../../abi/tdx/status.ts';
import {
  type CpuidRegisters,
  configFlags,
  eptpControls,
  type TdParams,
  tscFrequencyRange,
} from '../../abi/tdx/td-params.ts';
import { xfamFindings } from '../../abi/tdx/xfam.ts';
import { cpuidKey } from './cpuid.ts';
import type { ModuleState, NativeCpuid } from './module-state.ts';
import type { Td } from './states.ts';

const success = statusCodes.TDX_SUCCESS;

export function checkTdParams(module: ModuleState, td: Td, params: TdParams): bigint {
  const { limits, release } = module;
  const refuse = (operand: Parameters<typeof statusWord>[1]) =>
    statusWord('TDX_OPERAND_INVALID', operand);

  if (!attributesAllowed(params.attributes, limits.attributesFixed0)) return refuse('ATTRIBUTES');
  if (!xfamAllowed(params.xfam, limits.xfamFixed0)) return refuse('XFAM');
  if (params.maxVcpus === 0 || params.maxVcpus > (limits.maxVcpusPerTd ?? 0xffff)) {
    return refuse('MAX_VCPUS');
  }
  if (params.numL2Vms > 3) return refuse('NUM_L2_VMS');
  if (td.tdcxPages < release.tdcxPages.base + params.numL2Vms) {
    return statusCodes.TDX_TDCS_NOT_ALLOCATED;
  }
  if ((params.configFlags & ~limits.configFlagsFixed0) !== 0n) return refuse('EXEC_CONTROLS');
  if (!eptpAllowed(module, params)) return refuse('EPTP_CONTROLS');
  if (params.tscFrequency < tscFrequencyRange.min || params.tscFrequency > tscFrequencyRange.max) {
    return refuse('TSC_FREQUENCY');
  }
  // The reserved fields are not part of the struct here; of MSR_CONFIG_CTLS they are.
  if ((params.msrConfigCtls & ~1) !== 0) return refuse('RDX');
  const cpuid = checkCpuidConfig(module, params);
  if (cpuid !== success) return cpuid;
  if ((params.msrConfigCtls & 1) === 0 && params.ia32ArchCapabilitiesConfig !== 0n) {
    return refuse('IA32_ARCH_CAPABILITIES_CONFIG');
  }
  const migratable = (params.attributes & attributeMask.migratable) !== 0n;
  const partitionedMigration = (release.features0 & tdxFeatures0.PARTITIONED_TD_MIGRATION) !== 0n;
  if (migratable && params.numL2Vms > 0 && !partitionedMigration) return refuse('RDX');
  return success;
}

/** ATTRIBUTES_FIXED1 is 0 in every release. */
function attributesAllowed(value: bigint, fixed0: bigint): boolean {
  if ((value & ~fixed0) !== 0n) return false;
  const migratable = (value & attributeMask.migratable) !== 0n;
  return !migratable || (value & (attributeMask.debug | attributeMask.perfmon)) === 0n;
}

function xfamAllowed(value: bigint, fixed0: bigint): boolean {
  return (value & ~fixed0) === 0n && xfamFindings(value).length === 0;
}

function eptpAllowed(module: ModuleState, params: TdParams): boolean {
  const wide = (params.configFlags & configFlags.GPAW) !== 0n;
  if (params.eptpControls === eptpControls.fiveLevels) return module.profile.platform.fiveLevelEpt;
  return params.eptpControls === eptpControls.fourLevels && !wide;
}

/** A bit that is neither configurable nor a feature the CPU has is refused; RCX names the leaf. */
function checkCpuidConfig(module: ModuleState, params: TdParams): bigint {
  for (const [i, leaf] of module.release.cpuidConfig.entries()) {
    const value = params.cpuidConfig[i];
    if (value === undefined) continue;
    const extra =
      (value.eax & ~leaf.eax) |
      (value.ebx & ~leaf.ebx) |
      (value.ecx & ~leaf.ecx) |
      (value.edx & ~leaf.edx);
    if (extra !== 0 || !familyAllowed(leaf.leaf, value, params, module.nativeCpuid)) {
      module.out.rcx = BigInt(leaf.leaf) | (BigInt(leaf.subleaf ?? 0xffff_ffff) << 32n);
      return statusWord('TDX_OPERAND_INVALID', 'CPUID_CONFIG');
    }
  }
  // Slots beyond the release's leaves must stay 0.
  const tail = params.cpuidConfig.slice(module.release.cpuidConfig.length);
  return tail.some((row) => (row.eax | row.ebx | row.ecx | row.edx) !== 0)
    ? statusWord('TDX_OPERAND_INVALID', 'RDX')
    : success;
}

/** CPUID(1).EAX: 0 takes the CPU's family, model and stepping; else it must be the CPU's own. */
function familyAllowed(
  leaf: number,
  value: CpuidRegisters,
  params: TdParams,
  native: NativeCpuid,
): boolean {
  if (leaf !== 1 || value.eax === 0 || (params.attributes & attributeMask.migratable) !== 0n) {
    return true;
  }
  const key = cpuidKey(1, undefined);
  const own = key === undefined ? undefined : native.get(key);
  return own !== undefined && value.eax === (own.eax & 0x0fff3fff);
}
