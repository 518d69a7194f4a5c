/**
 * What KVM_TDX_INIT_VM would refuse, found beforehand and named by field.
 *
 * The kernel answers nine different mistakes with the same EINVAL, and the TDX module adds its own.
 * The rows below are its checks in its order (kernel-abi 7.1, steps 9 to 28), as far as user space
 * can know them before it asks; the first that applies is the errno that the kernel would give.
 */
import {
  ADDRESS_SIZES_LEAF,
  findEntry,
  forbiddenFeatures,
  guestAddressBits,
} from '../abi/kvm/cpuid.ts';
import type { ErrnoName } from '../abi/kvm/errno.ts';
import {
  type CpuidEntry,
  KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
  KVM_MAX_CPUID_ENTRIES,
} from '../abi/kvm/structs.ts';
import { attributeFindings, attributeNames } from '../abi/tdx/attributes.ts';
import { tscFrequencyRange, tscFrequencyUnitKhz } from '../abi/tdx/td-params.ts';
import { xfamFindings, xfamFixed1, xfamNames } from '../abi/tdx/xfam.ts';
import type { TdxCapabilities, TdxInitVm } from '../host/port.ts';

/** What of a host decides over INIT_VM. undefined: not known, so nothing is said of it. */
export interface InitVmGround {
  readonly capabilities: TdxCapabilities;
  readonly supportedCpuid: readonly CpuidEntry[];
  readonly guestAddressWidths: readonly number[];
  /** What TD_PARAMS.TSC_FREQUENCY is made of: KVM_SET_TSC_KHZ, or the host's own. */
  readonly tscKhz: number | undefined;
  /** kvm->max_vcpus, which KVM writes into TD_PARAMS.MAX_VCPUS. */
  readonly maxVcpus: number;
  readonly moduleMaxVcpus: number | undefined;
  readonly freeKeySlots: number | undefined;
  /** How many more TDs the misc cgroup of the caller allows. */
  readonly cgroupRoom: number | undefined;
}

export interface InitVmRefusal {
  readonly errno: ErrnoName;
  /** Step of kernel-abi 7.1. */
  readonly step: number;
  readonly field: InitVmField;
  /** A clause about the field. */
  readonly problem: string;
}

export type InitVmField =
  | 'attributes'
  | 'xfam'
  | 'gpaw'
  | 'cpuid'
  | 'tsc'
  | 'maxVcpus'
  | 'keySlot'
  | 'cgroup';

interface Check {
  readonly step: number;
  readonly errno: ErrnoName;
  readonly field: InitVmField;
  readonly problems: (params: TdxInitVm, ground: InitVmGround) => readonly string[];
}

const checks: readonly Check[] = [
  { step: 9, errno: 'E2BIG', field: 'cpuid', problems: tooManyEntries },
  { step: 15, errno: 'EINVAL', field: 'attributes', problems: unsupportedAttributes },
  { step: 16, errno: 'EINVAL', field: 'xfam', problems: unsupportedXfam },
  { step: 17, errno: 'EINVAL', field: 'gpaw', problems: wrongAddressWidth },
  { step: 18, errno: 'EINVAL', field: 'cpuid', problems: forbiddenInTds },
  { step: 19, errno: 'EINVAL', field: 'cpuid', problems: unmatchedEntries },
  { step: 20, errno: 'ENOSPC', field: 'keySlot', problems: noFreeSlot },
  { step: 21, errno: 'EBUSY', field: 'cgroup', problems: fullCgroup },
  // From here on it is the module that refuses (TDH.MNG.INIT), in the order of TD_PARAMS.
  { step: 28, errno: 'EINVAL', field: 'attributes', problems: brokenAttributeRules },
  { step: 28, errno: 'EINVAL', field: 'xfam', problems: brokenXfamRules },
  { step: 28, errno: 'EINVAL', field: 'maxVcpus', problems: tooManyVcpus },
  { step: 28, errno: 'EINVAL', field: 'tsc', problems: tscOutOfRange },
  { step: 28, errno: 'EINVAL', field: 'cpuid', problems: fixedCpuidBits },
];

/** Every refusal, in the order in which the kernel would meet them. Empty: it would succeed. */
export function preflightInitVm(params: TdxInitVm, ground: InitVmGround): InitVmRefusal[] {
  return checks.flatMap(({ step, errno, field, problems }) =>
    problems(params, ground).map((problem) => ({ step, errno, field, problem })),
  );
}

function tooManyEntries({ cpuid }: TdxInitVm): string[] {
  return cpuid.length > KVM_MAX_CPUID_ENTRIES
    ? [`${cpuid.length} CPUID entries; KVM takes at most ${KVM_MAX_CPUID_ENTRIES}`]
    : [];
}

function unsupportedAttributes(params: TdxInitVm, { capabilities }: InitVmGround): string[] {
  return attributeNames(params.attributes & ~capabilities.supportedAttributes).map(
    (name) => `\`${name}\` is not supported by this host`,
  );
}

function unsupportedXfam(params: TdxInitVm, { capabilities }: InitVmGround): string[] {
  return xfamNames(params.xfam & ~capabilities.supportedXfam).map(
    (name) => `\`${name}\` is not supported by this host`,
  );
}

function wrongAddressWidth(params: TdxInitVm, { guestAddressWidths }: InitVmGround): string[] {
  const width = guestAddressBits(params.cpuid);
  if (width === undefined) {
    return [
      `CPUID leaf ${hex(ADDRESS_SIZES_LEAF)} is missing; KVM takes the address width from it`,
    ];
  }
  if (width !== 48 && width !== 52) return [`${width} address bits; a TD has 48 or 52`];
  return guestAddressWidths.includes(width)
    ? []
    : [`${width} address bits need 5-level EPT, which this host lacks`];
}

/** KVM looks only at entries that a configurable leaf finds. */
function forbiddenInTds(params: TdxInitVm, { capabilities }: InitVmGround): string[] {
  const isConfigurable = capabilities.configurableCpuid.some(
    (leaf) => leaf.function === 7 && leaf.index === 0,
  );
  const entry = findEntry(params.cpuid, 7);
  if (!isConfigurable || !entry) return [];
  return forbiddenFeatures(entry).map((name) => `${name} is set; KVM gives it to no TD`);
}

/** The kernel counts the configurable leaves that found an entry, and wants the number of entries. */
function unmatchedEntries({ cpuid }: TdxInitVm, { capabilities }: InitVmGround): string[] {
  const found = capabilities.configurableCpuid.map((leaf) =>
    findEntry(cpuid, leaf.function, leaf.index),
  );
  const matched = found.filter((entry) => entry !== undefined).length;
  if (matched === cpuid.length) return [];
  const used = new Set(found);
  const unused = cpuid.filter((entry) => !used.has(entry)).map(leafName);
  const shared = cpuid.filter((entry) => found.filter((other) => other === entry).length > 1);
  return [
    ...unused.map((name) => `leaf ${name} is not configurable, or is there twice`),
    ...shared.map(
      (entry) => `leaf ${leafName(entry)} is taken for every subleaf: its index is not marked`,
    ),
  ];
}

function noFreeSlot(_: TdxInitVm, { freeKeySlots }: InitVmGround): string[] {
  return freeKeySlots === 0 ? ['no key slot (HKID) of the host is free'] : [];
}

function fullCgroup(_: TdxInitVm, { cgroupRoom }: InitVmGround): string[] {
  return cgroupRoom !== undefined && cgroupRoom <= 0
    ? ['the misc cgroup is at its limit for `tdx`']
    : [];
}

function brokenAttributeRules({ attributes }: TdxInitVm): string[] {
  return attributeFindings(attributes).map(
    ({ name, explanation }) => `\`${name}\`: ${explanation}`,
  );
}

/** KVM sets the bits that every TD has. */
function brokenXfamRules({ xfam }: TdxInitVm): string[] {
  return xfamFindings(xfam | xfamFixed1).map(
    ({ name, explanation }) => `\`${name}\`: ${explanation}`,
  );
}

function tooManyVcpus(_: TdxInitVm, { maxVcpus, moduleMaxVcpus }: InitVmGround): string[] {
  if (maxVcpus === 0) return ['0 vCPUs; the TDX module wants at least one'];
  return moduleMaxVcpus !== undefined && maxVcpus > moduleMaxVcpus
    ? [`KVM asks for ${maxVcpus} vCPUs, the TDX module gives a TD ${moduleMaxVcpus}`]
    : [];
}

const U16_MASK = 0xffff;

function tscOutOfRange(_: TdxInitVm, { tscKhz }: InitVmGround): string[] {
  if (tscKhz === undefined) return [];
  // KVM divides, drops the rest, and stores 16 bits.
  const units = Math.floor(tscKhz / tscFrequencyUnitKhz) & U16_MASK;
  return units < tscFrequencyRange.min || units > tscFrequencyRange.max
    ? [`${tscKhz / 1000} MHz is outside the module's range of 100 MHz to 10 GHz`]
    : [];
}

const registers = ['eax', 'ebx', 'ecx', 'edx'] as const;
const FAMILY_MASK = 0x0fff3fff;

function fixedCpuidBits({ cpuid }: TdxInitVm, ground: InitVmGround): string[] {
  return ground.capabilities.configurableCpuid.flatMap((leaf) => {
    const entry = findEntry(cpuid, leaf.function, leaf.index);
    return entry ? fixedBitsOf({ leaf, entry, ground }) : [];
  });
}

function fixedBitsOf({
  leaf,
  entry,
  ground,
}: {
  readonly leaf: CpuidEntry;
  readonly entry: CpuidEntry;
  readonly ground: InitVmGround;
}): string[] {
  const fixed = registers
    .map((register) => ({ register, bits: (entry[register] & ~leaf[register]) >>> 0 }))
    .filter(({ bits }) => bits !== 0)
    .map(
      ({ register, bits }) =>
        `leaf ${leafName(leaf)} ${register.toUpperCase()} sets ${hex(bits)}, which is not configurable`,
    );
  return fixed.length === 0 && leaf.function === 1 && !isOwnFamily(entry, ground)
    ? ['leaf 0x1 EAX names another CPU model than this host has (0 takes its own)']
    : fixed;
}

function isOwnFamily({ eax }: CpuidEntry, { supportedCpuid }: InitVmGround): boolean {
  const own = supportedCpuid.find((entry) => entry.function === 1);
  return eax === 0 || own === undefined || eax === (own.eax & FAMILY_MASK) >>> 0;
}

function leafName({ function: leaf, index, flags }: CpuidEntry): string {
  const name = hex(leaf);
  return index !== 0 || (flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX) !== 0 ? `${name}.${index}` : name;
}

const hex = (value: number) => `0x${value.toString(16)}`;
