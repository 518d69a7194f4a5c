/** Judges a capture as a host by what it says, with no assumptions about what it does not. */
import { kernelAbiOf } from '../../abi/kvm/kernels/index.ts';
import { moduleRelease } from '../../abi/tdx/module-releases.ts';
import type { KeySlots } from '../../host/facts.ts';
import { kernelFactsOf } from '../../host/kernel-facts.ts';
import type { HostOffer, KnownHost } from '../../host/offer.ts';
import { offersTdx } from '../doctor/evidence.ts';
import type { DoctorFacts } from '../doctor/facts.ts';
import { diagnose } from '../doctor/index.ts';
import { knownValue } from '../doctor/reading.ts';
import type { HostCapture } from './capture.ts';
import { type HostSummary, hostSummary } from './summary.ts';

export function captureToKnownHost({ facts }: HostCapture, name: string): KnownHost {
  const summary = hostSummary(facts);
  const { presentCpus, memory, tscScaling } = summary;
  const offer = offerOf(facts, { summary, name });
  const keySlots = slotsOf(facts);
  const limit = knownValue(facts.keySlots.ownLimit);
  const unknown = [
    ...(offer === undefined ? ['what KVM offers TDs'] : []),
    ...(offer && !summary.guestAddressWidths ? ['guest address width'] : []),
    ...(keySlots === undefined ? ['free key slots'] : []),
    ...(memory === undefined ? ['memory'] : []),
  ];
  return {
    name,
    simulated: false,
    offer,
    obstacles: offer === undefined ? obstaclesOf(facts, summary) : [],
    unknown,
    presentCpus,
    keySlots,
    cgroupRoom: limit && limit.max - limit.used,
    memory,
    tscScaling,
  };
}

function offerOf(
  facts: DoctorFacts,
  { summary, name }: { readonly summary: HostSummary; readonly name: string },
): HostOffer | undefined {
  const answers = knownValue(facts.kvm.answers);
  const tdxVm = answers?.tdxVm;
  if (!answers || !tdxVm) return undefined;
  const { maxVcpus } = tdxVm;
  const { presentCpus = maxVcpus, onlineCpus = presentCpus, packages, tscKhz } = summary;
  const rules = summary.kernelRelease ?? 'not known';
  const { kvmMaxVcpus = maxVcpus, guestAddressWidths = [48, 52] } = summary;
  return {
    facts: {
      kind: 'kvm',
      name,
      kernel: {
        rules,
        apiVersion: answers.apiVersion,
        ...kernelFactsOf(kernelAbiOf(rules)),
      },
      module: moduleOf(summary),
      platform: { packages, presentCpus, onlineCpus, guestAddressWidths, tscKhz },
      kvm: {
        maxVcpus: kvmMaxVcpus,
        maxVcpuIds: answers.capabilities.KVM_CAP_MAX_VCPU_ID ?? 0,
      },
    },
    capabilities: {
      supportedAttributes: BigInt(tdxVm.supportedAttributes),
      supportedXfam: BigInt(tdxVm.supportedXfam),
      configurableCpuid: tdxVm.configurableCpuid,
    },
    supportedCpuid: answers.supportedCpuid,
    maxVcpus,
  };
}

/** The limit of a release that is in no table is not known. */
function moduleOf({ moduleRelease: release }: HostSummary): HostOffer['facts']['module'] {
  return release === undefined
    ? undefined
    : { release, maxVcpusPerTd: moduleRelease(release)?.maxVcpusPerTd };
}

/** These checks are about who captured the host, not about the host. */
const aboutTheUser: ReadonlySet<string> = new Set(['kvm.permission']);

/** Where KVM offers none or did not load, this is what `tdctl doctor` finds, the cause first. */
function obstaclesOf(facts: DoctorFacts, { log }: HostSummary): string[] {
  const offered = offersTdx(facts);
  if (offered === true) return [];
  const { checks, firstCause } = diagnose(facts, log());
  const failed = checks
    .filter(({ id, status }) => status === 'fail' && !aboutTheUser.has(id))
    .toSorted((a, b) => Number(b.id === firstCause) - Number(a.id === firstCause))
    .map(({ id, evidence }) => `${evidence} (doctor: ${id})`);
  return failed.length > 0 || offered === undefined ? failed : ['KVM offers no TDX VMs'];
}

function slotsOf({ keySlots }: DoctorFacts): KeySlots | undefined {
  const total = knownValue(keySlots.capacity);
  const used = knownValue(keySlots.used);
  return total === undefined || used === undefined ? undefined : { total, used };
}
