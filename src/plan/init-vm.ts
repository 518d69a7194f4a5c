/** Makes what KVM_TDX_INIT_VM will be asked from the spec and KVM_TDX_CAPABILITIES. */
import { ADDRESS_SIZES_LEAF, areSameEntries, withGuestAddressBits } from '../abi/kvm/cpuid.ts';
import { kernelAbiOf } from '../abi/kvm/kernels/index.ts';
import { type CpuidEntry, KVM_CPUID_FLAG_SIGNIFCANT_INDEX } from '../abi/kvm/structs.ts';
import { TdctlError } from '../errors/index.ts';
import type { HostOffer } from '../host/offer.ts';
import type { TdxInitVm } from '../host/port.ts';
import type { TrustDomain } from '../spec/trust-domain.ts';
import { always, type Objection, type Reason, type ReasonId } from './judge/objection.ts';
import {
  type InitVmField,
  type InitVmGround,
  type InitVmRefusal,
  preflightInitVm,
} from './preflight.ts';

interface Built {
  readonly offer: HostOffer;
  readonly params: TdxInitVm;
}

/** The last that was built for a TD. One that is built again and again is offered the same each time. */
const lastBuilt = new WeakMap<TrustDomain, Built>();

/** @throws TdctlError TDCTL_E_SPEC_INVALID naming every field that this host cannot give. */
export function buildInitVm(spec: TrustDomain, offer: HostOffer): TdxInitVm {
  const last = lastBuilt.get(spec);
  if (last !== undefined && isSameOffer(last.offer, offer)) return last.params;
  const [objection] = initVmObjections(spec, offer);
  if (objection) throw objection.error();
  const params = initVmParams(spec, offer);
  lastBuilt.set(spec, { offer, params });
  return params;
}

function isSameOffer(one: HostOffer, other: HostOffer): boolean {
  const { capabilities } = one;
  return (
    one.facts === other.facts &&
    one.maxVcpus === other.maxVcpus &&
    capabilities.supportedAttributes === other.capabilities.supportedAttributes &&
    capabilities.supportedXfam === other.capabilities.supportedXfam &&
    areSameEntries(capabilities.configurableCpuid, other.capabilities.configurableCpuid) &&
    areSameEntries(one.supportedCpuid, other.supportedCpuid)
  );
}

/** What KVM_TDX_INIT_VM would refuse always: one objection with every field. */
export function initVmObjections(spec: TrustDomain, offer: HostOffer): Objection[] {
  const refusals = preflightInitVm(initVmParams(spec, offer), groundOf(spec, offer));
  if (refusals.length === 0) return [];
  const error = () =>
    new TdctlError({
      code: 'TDCTL_E_SPEC_INVALID',
      op: 'prepare KVM_TDX_INIT_VM',
      place: spec.source.path,
      message: `${offer.facts.name} cannot give this TD what its file asks for`,
      details: refusals.map(({ field, problem }) =>
        spec.source.finding({ field: specFields[field], problem }),
      ),
      hint: 'change the named fields, or choose a host that supports them with --host',
    });
  return [{ reasons: refusals.map(initVmReason), error }];
}

export function initVmReason({ field, problem }: InitVmRefusal): Reason {
  return always(idOfField[field], problem);
}

const idOfField: Readonly<Record<InitVmField, ReasonId>> = {
  attributes: 'attributes',
  xfam: 'xfam',
  gpaw: 'addressWidth',
  tsc: 'tsc',
  cpuid: 'cpuid',
  maxVcpus: 'module',
  keySlot: 'keySlot',
  cgroup: 'cgroup',
};

/** Key slots and cgroups are left to the kernel, because they change until it is asked. */
export function groundOf(spec: TrustDomain, offer: HostOffer): InitVmGround {
  const { facts } = offer;
  return {
    ...offer,
    checks: kernelAbiOf(facts.kernel.rules).checks.KVM_TDX_INIT_VM,
    // Where tdctl may say the number, it says that of the spec.
    maxVcpus:
      facts.kernel.hasMaxVcpusCap || facts.kernel.takesMaxVcpusInInitVm
        ? spec.maxVcpus
        : offer.maxVcpus,
    guestAddressWidths: facts.platform.guestAddressWidths,
    tscKhz: spec.tscKhz ?? facts.platform.tscKhz,
    kvmMaxVcpus: facts.kvm.maxVcpus,
    moduleMaxVcpus: facts.module?.maxVcpusPerTd,
    moduleRelease: facts.module?.release,
    freeKeySlots: undefined,
    cgroupRoom: undefined,
  };
}

/** The spec field behind each field of INIT_VM. CPUID comes from the host, not from the spec. */
const specFields: Readonly<Record<InitVmField, string>> = {
  attributes: 'spec.attributes',
  xfam: 'spec.xfam',
  gpaw: 'spec.gpaw',
  tsc: 'spec.tsc',
  maxVcpus: 'spec.maxVcpus',
  cpuid: 'spec',
  keySlot: 'spec',
  cgroup: 'spec',
};

export function initVmParams(spec: TrustDomain, offer: HostOffer): TdxInitVm {
  return {
    attributes: spec.attributes,
    maxVcpus: spec.maxVcpus,
    xfam: spec.xfam ?? offer.capabilities.supportedXfam,
    ...spec.identity,
    cpuid: offer.capabilities.configurableCpuid.map((leaf) => configure(leaf, { spec, offer })),
  };
}

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
  return { ...entry, eax: withGuestAddressBits(entry.eax, spec.gpaw) };
}

function sameLeaf(entry: CpuidEntry, leaf: CpuidEntry): boolean {
  const indexed = (entry.flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX) !== 0;
  return entry.function === leaf.function && (!indexed || entry.index === leaf.index);
}

// An entry without the flag matches every subleaf of its leaf, and the kernel then counts too many.
function needsIndex(leaf: CpuidEntry, supported: CpuidEntry | undefined): boolean {
  return leaf.index !== 0 || ((supported?.flags ?? 0) & KVM_CPUID_FLAG_SIGNIFCANT_INDEX) !== 0;
}
