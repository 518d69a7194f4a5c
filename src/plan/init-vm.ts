/**
 * What KVM_TDX_INIT_VM will be asked, from the spec and what KVM_TDX_CAPABILITIES allows. What the
 * kernel would refuse with a bare EINVAL (kernel-abi 7.1, steps 15 to 19) is named here by field.
 */
import { type CpuidEntry, KVM_CPUID_FLAG_SIGNIFCANT_INDEX } from '../abi/kvm/structs.ts';
import { attributeNames } from '../abi/tdx/attributes.ts';
import { xfamNames } from '../abi/tdx/xfam.ts';
import { TdctlError } from '../errors/index.ts';
import type { HostFacts } from '../host/facts.ts';
import type { TdxCapabilities, TdxInitVm } from '../host/port.ts';
import type { TrustDomain } from '../spec/trust-domain.ts';

interface Finding {
  readonly field: string;
  readonly problem: string;
}

export interface HostOffer {
  readonly facts: HostFacts;
  readonly capabilities: TdxCapabilities;
  readonly supportedCpuid: readonly CpuidEntry[];
}

export function buildInitVm(spec: TrustDomain, offer: HostOffer): TdxInitVm {
  const findings = [...unsupported(spec, offer), ...wrongWidth(spec, offer)];
  if (findings.length > 0) {
    throw new TdctlError({
      code: 'TDCTL_E_SPEC_INVALID',
      op: 'prepare KVM_TDX_INIT_VM',
      place: spec.source.path,
      message: `${offer.facts.name} cannot give this TD what its file asks for`,
      details: findings.map((finding) => spec.source.finding(finding)),
      hint: 'change the named fields, or choose a host that supports them with --host',
    });
  }
  return {
    attributes: spec.attributes,
    xfam: spec.xfam ?? offer.capabilities.supportedXfam,
    ...spec.identity,
    cpuid: offer.capabilities.configurableCpuid.map((leaf) => configure(leaf, { spec, offer })),
  };
}

function unsupported(spec: TrustDomain, { capabilities }: HostOffer): Finding[] {
  const attributes = spec.attributes & ~capabilities.supportedAttributes;
  const xfam = (spec.xfam ?? 0n) & ~capabilities.supportedXfam;
  return [
    ...attributeNames(attributes).map((name) => ({
      field: 'spec.attributes',
      problem: `\`${name}\` is not supported by this host`,
    })),
    ...xfamNames(xfam).map((name) => ({
      field: 'spec.xfam',
      problem: `\`${name}\` is not supported by this host`,
    })),
  ];
}

function wrongWidth(spec: TrustDomain, { facts }: HostOffer): Finding[] {
  const widths = facts.platform.guestAddressWidths;
  if (widths.includes(spec.gpaw)) return [];
  return [
    {
      field: 'spec.gpaw',
      problem: `this host gives guests ${widths.join(' or ')} address bits, not ${spec.gpaw}`,
    },
  ];
}

const ADDRESS_SIZES_LEAF = 0x80000008;
const GUEST_WIDTH_SHIFT = 16;

/**
 * KVM refuses INIT_VM unless every entry is one of the configurable leaves, and wants the width of
 * guest physical addresses in 0x80000008 EAX[23:16]. Registers keep only bits that may be chosen.
 */
function configure(
  leaf: CpuidEntry,
  { spec, offer }: { spec: TrustDomain; offer: HostOffer },
): CpuidEntry {
  const supported = offer.supportedCpuid.find((entry) => sameLeaf(entry, leaf));
  const entry = {
    ...leaf,
    flags: needsIndex(leaf, supported) ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0,
    eax: (leaf.eax & (supported?.eax ?? 0)) >>> 0,
    ebx: (leaf.ebx & (supported?.ebx ?? 0)) >>> 0,
    ecx: (leaf.ecx & (supported?.ecx ?? 0)) >>> 0,
    edx: (leaf.edx & (supported?.edx ?? 0)) >>> 0,
  };
  if (leaf.function !== ADDRESS_SIZES_LEAF) return entry;
  const withoutWidth = entry.eax & ~(0xff << GUEST_WIDTH_SHIFT);
  return { ...entry, eax: (withoutWidth | (spec.gpaw << GUEST_WIDTH_SHIFT)) >>> 0 };
}

function sameLeaf(entry: CpuidEntry, leaf: CpuidEntry): boolean {
  const indexed = (entry.flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX) !== 0;
  return entry.function === leaf.function && (!indexed || entry.index === leaf.index);
}

// An entry without the flag matches every subleaf of its leaf, and the kernel then counts too many.
function needsIndex(leaf: CpuidEntry, supported: CpuidEntry | undefined): boolean {
  return leaf.index !== 0 || ((supported?.flags ?? 0) & KVM_CPUID_FLAG_SIGNIFCANT_INDEX) !== 0;
}
