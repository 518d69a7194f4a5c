/** TDH.MNG.RD gives the host this TD-scope metadata. Source: tdr_tdcs_fields_lookup.c. */
import type { CpuidRegisters } from '../../abi/cpuid/registers.ts';
import { packCpuidKey, readCpuid } from './cpuid.ts';
import type { ModuleState } from './module-state.ts';
import type { InitializedTd, Td } from './states.ts';

/** The field ids are without bit 63, which the module ignores. */
export const tdFields = {
  MAX_VCPUS: 0x1110_0002_0000_0002n,
  TSC_OFFSET: 0x1110_0003_0000_000an,
  TSC_MULTIPLIER: 0x1110_0003_0000_000bn,
  /**
   * The id is of a class of fields: bits 16:0 hold leaf, subleaf and which half (see {@link
   * cpuidValuesField}).
   */
  CPUID_VALUES: 0x1410_0003_0000_0000n,
} as const;

const ignoredBit = 1n << 63n;
const subleafNotApplicable = 0x1fe;

// KVM_TDX_GET_CPUID reads some 170 of these for each TD, and arithmetic on bigints is slow, so each id
// is put together only once. There are 2^17 of them at most.
const idsByPacked = new Map<number, bigint>();

/** Gives the field id of one half of a CPUID leaf: `0` is EBX:EAX, `1` is EDX:ECX. */
export function cpuidValuesField(leaf: number, subleaf: number | undefined, half: 0 | 1): bigint {
  const leaf31 = leaf >= 0x8000_0000 ? 1 << 16 : 0;
  const subleafBits = subleaf === undefined ? subleafNotApplicable : subleaf << 1;
  const packed = leaf31 | ((leaf & 0x7f) << 9) | subleafBits | half;
  let id = idsByPacked.get(packed);
  if (id === undefined) {
    id = tdFields.CPUID_VALUES | BigInt(packed);
    idsByPacked.set(packed, id);
  }
  return id;
}

/** Gives bits 16:0 of an id of that class, or undefined when the id is of another. */
function packedCpuidField(id: bigint): number | undefined {
  if (id >> 17n !== tdFields.CPUID_VALUES >> 17n) return undefined;
  return Number(id & 0x1ffffn);
}

export function readTdField(module: ModuleState, td: Td, field: bigint): bigint | undefined {
  const initialized = td.initialized;
  if (initialized === undefined) return undefined;
  const known = initialized.cpuid.values.get(field);
  if (known !== undefined) return known;
  const packed = packedCpuidField(field & ~ignoredBit);
  if (packed === undefined) return readOtherField(initialized, field & ~ignoredBit);
  const notApplicable = (packed & subleafNotApplicable) === subleafNotApplicable;
  const subleaf = notApplicable ? undefined : (packed >> 1) & 0x7f;
  const key = packCpuidKey((packed & (1 << 16)) !== 0, (packed >> 9) & 0x7f, subleaf);
  const registers = readCpuid(module, initialized.cpuid, key);
  if (registers === undefined) return undefined;
  const value = half(registers, (packed & 1) as 0 | 1);
  initialized.cpuid.values.set(field, value);
  return value;
}

function readOtherField({ params }: InitializedTd, id: bigint): bigint | undefined {
  if (id === tdFields.MAX_VCPUS) return BigInt(params.maxVcpus);
  // In this model the guest's TSC starts at 0 and runs at the host's rate.
  if (id === tdFields.TSC_OFFSET) return 0n;
  if (id === tdFields.TSC_MULTIPLIER) return 1n << 48n;
  return undefined;
}

function half(registers: CpuidRegisters, which: 0 | 1): bigint {
  return which === 0
    ? BigInt(registers.eax) | (BigInt(registers.ebx) << 32n)
    : BigInt(registers.ecx) | (BigInt(registers.edx) << 32n);
}
