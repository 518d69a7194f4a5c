/** Makes a simulated host of a captured one, which `--host sim:FILE` runs. */
import { findEntry, physicalAddressBits } from '../../abi/kvm/cpuid.ts';
import { type ModuleReleaseName, moduleReleases } from '../../abi/tdx/module-releases.ts';
import { xfamFixed1, xfamOfCpuid } from '../../abi/tdx/xfam.ts';
import { TdctlError } from '../../errors/index.ts';
import {
  cpuidOfHost,
  cpuidOfRecorded,
  type HostProfile,
  nearestCpu,
  type Platform,
} from '../../simulator/index.ts';
import { moduleRuns } from '../doctor/evidence.ts';
import type { DoctorFacts } from '../doctor/facts.ts';
import { knownValue } from '../doctor/reading.ts';
import type { HostCapture } from './capture.ts';
import { type HostSummary, hostSummary } from './summary.ts';

/**
 * What the capture does not know is taken from the nearest known value, and `source` says so.
 *
 * @throws TdctlError TDCTL_E_NOT_READABLE where it lacks what a simulated host cannot do without:
 * the CPUs present, the memory and the CPUID that KVM supports.
 */
export function captureToHostProfile(capture: HostCapture, name: string): HostProfile {
  const { facts } = capture;
  const summary = hostSummary(facts);
  const { memory, capabilities, supportedCpuid } = summary;
  if (capabilities === undefined || supportedCpuid.length === 0) {
    throw lacks(
      name,
      'what KVM answers',
      'capture it where the native addon is built and /dev/kvm may be opened',
    );
  }
  const assumptions: string[] = [];
  const present = presentCpusOf({ summary, assumptions });
  if (present === undefined) throw lacks(name, 'the CPUs that are present', 'capture it again');
  if (memory === undefined) throw lacks(name, 'the size of the memory', 'capture it again');

  const module = moduleOf(facts, { summary, assumptions });
  const machine: Omit<Platform, 'cpuid'> = {
    ...cpusOf(facts, { present, summary, assumptions }),
    memoryBytes: memory.totalBytes,
    keyIds: keyIdsOf(facts, { summary, assumptions }),
    fiveLevelEpt: (
      summary.guestAddressWidths ?? assumed(assumptions, 'guest address width of 48', [48])
    ).includes(52),
    tscKhz: summary.tscKhz ?? assumed(assumptions, 'TSC of 2000 MHz', 2_000_000),
    features: {
      tscScaling: summary.tscScaling ?? false,
      busLockDetection: Boolean(capabilities.KVM_CAP_X86_BUS_LOCK_EXIT),
      notifyVmExit: Boolean(capabilities.KVM_CAP_X86_NOTIFY_VMEXIT),
      pmu: Boolean(capabilities.KVM_CAP_PMU_CAPABILITY),
    },
    recordedCpuid: supportedCpuid,
  };
  const platform = { ...machine, cpuid: cpuidOf(machine, summary) };
  const kvmMaxVcpus = summary.kvmMaxVcpus ?? assumed(assumptions, 'KVM_MAX_VCPUS of 1024', 1024);
  return {
    name,
    description: `captured host: ${summary.cpuModel ?? 'CPU not known'}, Linux ${summary.kernelRelease ?? 'not known'}`,
    // This comes last, when all has been assumed.
    source: [`written by tdctl ${capture.tdctl}`, ...assumptions].join('; '),
    platform,
    module,
    kvmMaxVcpus,
  };
}

/** KVM tells only in part what the CPUs have. */
function cpuidOf(machine: Omit<Platform, 'cpuid'>, summary: HostSummary): Platform['cpuid'] {
  const { supportedCpuid, supportedXfam } = summary;
  const signature = findEntry(supportedCpuid, 1)?.eax ?? 0;
  const like = cpuidOfHost(nearestCpu(signature), {
    ...machine,
    signature,
    physicalAddressBits: physicalAddressBits(supportedCpuid) ?? 52,
    xfam: (supportedXfam ?? xfamOfCpuid(supportedCpuid)) | xfamFixed1,
  });
  return cpuidOfRecorded(like, supportedCpuid);
}

interface Known {
  readonly summary: HostSummary;
  readonly assumptions: string[];
}

/**
 * A released kernel gives a TD no more vCPUs than there are CPUs. Where it gives more than sysfs shows, as
 * under `tdctl exec`, KVM answers for a machine that has them.
 */
function presentCpusOf({ summary, assumptions }: Known): number | undefined {
  const { presentCpus, maxVcpusOfTd = 0, kvmMaxVcpus = 0 } = summary;
  if (presentCpus === undefined || maxVcpusOfTd <= presentCpus) return presentCpus;
  if (maxVcpusOfTd >= kvmMaxVcpus) return presentCpus;
  return assumed(assumptions, `${maxVcpusOfTd} CPUs, as KVM counts them,`, maxVcpusOfTd);
}

function cpusOf(
  { topology }: DoctorFacts,
  { present, summary, assumptions }: Known & { readonly present: number },
): Pick<Platform, 'packages' | 'coresPerPackage' | 'threadsPerCore' | 'offlineCpus'> {
  const { packages = 1, onlineCpus, presentCpus } = summary;
  // How many of other CPUs than sysfs shows are online, nothing tells.
  const online = present === presentCpus ? (onlineCpus ?? present) : present;
  const threadsPerCore = knownValue(topology.threadsPerCore) ?? 1;
  const cores = present / packages / threadsPerCore;
  // The simulator multiplies them again, and their product must be the CPUs present.
  if (!Number.isInteger(cores)) {
    return {
      packages: 1,
      coresPerPackage: assumed(assumptions, 'one package', present),
      threadsPerCore: 1,
      offlineCpus: present - online,
    };
  }
  return { packages, coresPerPackage: cores, threadsPerCore, offlineCpus: present - online };
}

/** The kernel log, the MSR or the misc cgroup (which lacks the module's own) has the key IDs. */
function keyIdsOf(facts: DoctorFacts, { summary, assumptions }: Known): Platform['keyIds'] {
  const { keyIdRange } = summary.log();
  if (keyIdRange) {
    return { mktme: keyIdRange.first - 1, tdxPrivate: keyIdRange.end - keyIdRange.first };
  }
  const msr = knownValue(facts.msrs.IA32_MKTME_KEYID_PARTITIONING);
  if (msr !== undefined) {
    return { mktme: Number(BigInt(msr) & 0xffff_ffffn), tdxPrivate: Number(BigInt(msr) >> 32n) };
  }
  if (summary.keySlots === undefined && summary.offersTdx === true) {
    return assumed(assumptions, 'TDX private key IDs, which KVM needs and nothing counts,', {
      mktme: 63,
      tdxPrivate: 64,
    });
  }
  const capacity = summary.keySlots ?? 0;
  const tdxPrivate = capacity === 0 ? 0 : capacity + 1;
  return {
    mktme: assumed(assumptions, 'key IDs of TME-MT', Math.max(0, tdxPrivate - 1)),
    tdxPrivate,
  };
}

/** The simulated kernel says whether KVM offers TDX; here it counts that a module runs. */
function moduleOf(facts: DoctorFacts, { summary, assumptions }: Known): HostProfile['module'] {
  const { moduleRelease: version, maxVcpusOfTd = 0, log } = summary;
  if (moduleRuns({ ...facts, found: log() }) === undefined) return undefined;
  const release = nearestRelease(version);
  if (release !== version) assumptions.push(`module ${version ?? 'not known'} taken as ${release}`);
  const { maxVcpusPerTd = maxVcpusOfTd } = moduleReleases[release];
  // What the kernel says of the module that is there counts for more than the release next to it.
  const limit = log().vcpuLimit?.module ?? Math.max(maxVcpusPerTd, maxVcpusOfTd);
  return limit === maxVcpusPerTd ? { release } : { release, maxVcpusPerTd: limit };
}

/** Finds the newest known release of the line that is not newer, else the line's oldest. */
export function nearestRelease(version: string | undefined): ModuleReleaseName {
  const names = Object.keys(moduleReleases) as ModuleReleaseName[];
  const wanted = numbersOf(version ?? '1.5.28');
  const sameLine = names.filter((name) => {
    const [major, minor] = numbersOf(name);
    return major === wanted[0] && minor === wanted[1];
  });
  const line = sameLine.length > 0 ? sameLine : names;
  return (
    line.findLast((name) => compareVersions(numbersOf(name), wanted) <= 0) ?? line[0] ?? '1.5.28'
  );
}

const numbersOf = (version: string) => version.split('.').map(Number);

function compareVersions(a: readonly number[], b: readonly number[]): number {
  for (let part = 0; part < 3; part += 1) {
    // A log that names only major and minor means any update of it.
    const difference = (a[part] ?? 0) - (b[part] ?? Number.POSITIVE_INFINITY);
    if (difference !== 0) return difference;
  }
  return 0;
}

function assumed<Value>(assumptions: string[], what: string, value: Value): Value {
  assumptions.push(`${what} assumed`);
  return value;
}

function lacks(name: string, what: string, hint: string): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_SPEC_INVALID',
    op: 'simulate a captured host',
    place: name,
    message: `the capture lacks ${what}`,
    hint,
  });
}
