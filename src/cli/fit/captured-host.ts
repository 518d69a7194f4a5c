/** A capture as a host to be judged: what it says, and no assumptions about what it does not. */
import { moduleReleases } from '../../abi/tdx/module-releases.ts';
import type { HostCapture } from '../../diagnosis/capture/index.ts';
import { guestAddressBits, tscKhzOf } from '../../diagnosis/capture/summary.ts';
import { offersTdx } from '../../diagnosis/doctor/evidence.ts';
import type { DoctorFacts } from '../../diagnosis/doctor/facts.ts';
import { diagnose } from '../../diagnosis/doctor/index.ts';
import { findInLog } from '../../diagnosis/doctor/log-findings.ts';
import { knownValue } from '../../diagnosis/doctor/reading.ts';
import type { KeySlots } from '../../host/facts.ts';
import type { HostOffer } from '../../host/offer.ts';
import type { FitHost, HostMemory } from '../../plan/fit/index.ts';

export function capturedHost({ facts }: HostCapture, name: string): FitHost {
  const offer = offerOf(facts, name);
  const limit = knownValue(facts.keySlots.ownLimit);
  const scaling = knownValue(facts.kvm.answers)?.capabilities.KVM_CAP_TSC_CONTROL;
  return {
    name,
    offer,
    obstacles: offer === undefined ? obstaclesOf(facts) : [],
    unknown: unknownOf(facts, offer),
    presentCpus: knownValue(facts.topology.presentCpus),
    keySlots: slotsOf(facts),
    cgroupRoom: limit && limit.max - limit.used,
    memory: memoryOf(facts),
    tscScaling: scaling === undefined ? undefined : scaling !== 0,
  };
}

function offerOf(facts: DoctorFacts, name: string): HostOffer | undefined {
  const answers = knownValue(facts.kvm.answers);
  const tdxVm = answers?.tdxVm;
  if (!answers || !tdxVm) return undefined;
  const { capabilities, supportedCpuid } = answers;
  const { KVM_CAP_MAX_VCPUS: maxVcpus = tdxVm.maxVcpus, KVM_CAP_MAX_VCPU_ID = 0 } = capabilities;
  const presentCpus = knownValue(facts.topology.presentCpus) ?? tdxVm.maxVcpus;
  return {
    facts: {
      kind: 'kvm',
      name,
      kernel: {
        rules: knownValue(facts.kernel.release) ?? 'not known',
        apiVersion: answers.apiVersion,
        hasMaxVcpusCap: false,
        takesMaxVcpusInInitVm: false,
        presentCpusBind: true,
        vcpusBeforeInitVm: false,
        sharesGuestMemory: 'no',
        hasTerminateVm: false,
      },
      module: moduleOf(facts),
      platform: {
        packages: knownValue(facts.topology.packages),
        presentCpus,
        onlineCpus: knownValue(facts.topology.onlineCpus) ?? presentCpus,
        guestAddressWidths: guestAddressBits(supportedCpuid) === 48 ? [48] : [48, 52],
        tscKhz: tscKhzOf(supportedCpuid) ?? ofLog(facts).tscKhz,
      },
      kvm: { maxVcpus, maxVcpuIds: KVM_CAP_MAX_VCPU_ID },
    },
    capabilities: {
      supportedAttributes: BigInt(tdxVm.supportedAttributes),
      supportedXfam: BigInt(tdxVm.supportedXfam),
      configurableCpuid: tdxVm.configurableCpuid,
    },
    supportedCpuid,
    maxVcpus: tdxVm.maxVcpus,
  };
}

/** Read only where nothing else tells: a log is the long part of a capture. */
function ofLog(facts: DoctorFacts) {
  return findInLog(knownValue(facts.log)?.lines ?? []);
}

function moduleOf(facts: DoctorFacts) {
  const release = knownValue(facts.tdxHost.version) ?? ofLog(facts).moduleVersion?.version;
  if (release === undefined) return undefined;
  const known: Readonly<Record<string, { readonly maxVcpusPerTd: number | undefined }>> =
    moduleReleases;
  return { release, maxVcpusPerTd: known[release]?.maxVcpusPerTd };
}

/** About who captured the host, not about the host. */
const aboutTheUser: ReadonlySet<string> = new Set(['kvm.permission']);

/** Where KVM offers none, or did not load: what `tdctl doctor` finds against it, the cause first. */
function obstaclesOf(facts: DoctorFacts): string[] {
  const offered = offersTdx(facts);
  if (offered === true) return [];
  const { checks, firstCause } = diagnose(facts);
  const failed = checks
    .filter(({ id, status }) => status === 'fail' && !aboutTheUser.has(id))
    .toSorted((a, b) => Number(b.id === firstCause) - Number(a.id === firstCause))
    .map(({ id, evidence }) => `${evidence} (doctor: ${id})`);
  return failed.length > 0 || offered === undefined ? failed : ['KVM offers no TDX VMs'];
}

function unknownOf(facts: DoctorFacts, offer: HostOffer | undefined): string[] {
  return [
    ...(offer === undefined ? ['what KVM offers TDs'] : []),
    ...(offer !== undefined && guestAddressBits(offer.supportedCpuid) === undefined
      ? ['guest address width']
      : []),
    ...(slotsOf(facts) === undefined ? ['free key slots'] : []),
    ...(memoryOf(facts) === undefined ? ['memory'] : []),
  ];
}

function slotsOf({ keySlots }: DoctorFacts): KeySlots | undefined {
  const total = knownValue(keySlots.capacity);
  const used = knownValue(keySlots.used);
  return total === undefined || used === undefined ? undefined : { total, used };
}

function memoryOf({ memory }: DoctorFacts): HostMemory | undefined {
  const known = knownValue(memory);
  if (known === undefined) return undefined;
  const { totalKib, availableKib } = known;
  return {
    totalBytes: BigInt(totalKib) * 1024n,
    availableBytes: availableKib === null ? undefined : BigInt(availableKib) * 1024n,
  };
}
