/** A captured host as a simulated one: what `--host sim:FILE` runs. */
import { type ModuleReleaseName, moduleReleases } from '../../abi/tdx/module-releases.ts';
import { xfamFixed1 } from '../../abi/tdx/xfam.ts';
import { TdctlError } from '../../errors/index.ts';
import type { HostProfile, Platform } from '../../simulator/index.ts';
import { moduleRuns } from '../doctor/evidence.ts';
import type { DoctorFacts } from '../doctor/facts.ts';
import { findInLog } from '../doctor/log-findings.ts';
import { knownValue } from '../doctor/reading.ts';
import type { HostCapture } from './capture.ts';
import { guestAddressBits, hostSummary } from './summary.ts';

/**
 * What the capture does not know is taken from the nearest known value, and said in `source`.
 *
 * @throws TdctlError TDCTL_E_NOT_READABLE where it lacks what a simulated host cannot do without:
 * the CPUs present, the memory and the CPUID that KVM supports.
 */
export function captureToHostProfile(capture: HostCapture, name: string): HostProfile {
  const { facts } = capture;
  const answers = knownValue(facts.kvm.answers);
  const present = knownValue(facts.topology.presentCpus);
  const memory = knownValue(facts.memory);
  if (answers === undefined || answers.supportedCpuid.length === 0) {
    throw lacks(
      name,
      'what KVM answers',
      'capture it where the native addon is built and /dev/kvm may be opened',
    );
  }
  if (present === undefined) throw lacks(name, 'the CPUs that are present', 'capture it again');
  if (memory === undefined) throw lacks(name, 'the size of the memory', 'capture it again');

  const assumptions: string[] = [];
  const summary = hostSummary(facts);
  const module = moduleOf(facts, assumptions);
  return {
    name,
    description: `captured host: ${summary.cpuModel ?? 'CPU not known'}, Linux ${summary.kernelRelease ?? 'not known'}`,
    source: [`written by tdctl ${capture.tdctl}`, ...assumptions].join('; '),
    platform: {
      ...cpusOf(facts, present, assumptions),
      memoryBytes: BigInt(memory.totalKib) * 1024n,
      keyIds: keyIdsOf(facts, assumptions),
      fiveLevelEpt: guestAddressBits(answers.supportedCpuid) === 52,
      tscKhz: summary.tscKhz ?? assumed(assumptions, 'TSC of 2000 MHz', 2_000_000),
      xfam: (summary.supportedXfam ?? xfamOfCpuid(answers.supportedCpuid)) | xfamFixed1,
      features: {
        tscScaling: Boolean(answers.capabilities.KVM_CAP_TSC_CONTROL),
        busLockDetection: Boolean(answers.capabilities.KVM_CAP_X86_BUS_LOCK_EXIT),
        notifyVmExit: Boolean(answers.capabilities.KVM_CAP_X86_NOTIFY_VMEXIT),
        pmu: Boolean(answers.capabilities.KVM_CAP_PMU_CAPABILITY),
      },
      cpuid: answers.supportedCpuid,
    },
    module,
    kvmMaxVcpus: answers.capabilities.KVM_CAP_MAX_VCPUS || 1024,
  };
}

function cpusOf(
  { topology }: DoctorFacts,
  present: number,
  assumptions: string[],
): Pick<Platform, 'packages' | 'coresPerPackage' | 'threadsPerCore' | 'offlineCpus'> {
  const packages = knownValue(topology.packages) ?? 1;
  const threadsPerCore = knownValue(topology.threadsPerCore) ?? 1;
  const online = knownValue(topology.onlineCpus) ?? present;
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

/** From the kernel log, the MSR, or the capacity of the misc cgroup, which lacks the module's own. */
function keyIdsOf(facts: DoctorFacts, assumptions: string[]): Platform['keyIds'] {
  const { keyIdRange } = findInLog(knownValue(facts.log)?.lines ?? []);
  if (keyIdRange) {
    return { mktme: keyIdRange.first - 1, tdxPrivate: keyIdRange.end - keyIdRange.first };
  }
  const msr = knownValue(facts.msrs.IA32_MKTME_KEYID_PARTITIONING);
  if (msr !== undefined) {
    return { mktme: Number(BigInt(msr) & 0xffff_ffffn), tdxPrivate: Number(BigInt(msr) >> 32n) };
  }
  const capacity = knownValue(facts.keySlots.capacity) ?? 0;
  const tdxPrivate = capacity === 0 ? 0 : capacity + 1;
  return {
    mktme: assumed(assumptions, 'key IDs of TME-MT', Math.max(0, tdxPrivate - 1)),
    tdxPrivate,
  };
}

/** Whether KVM offers it is for the simulated kernel to say; here it counts that a module runs. */
function moduleOf(facts: DoctorFacts, assumptions: string[]): HostProfile['module'] {
  const found = findInLog(knownValue(facts.log)?.lines ?? []);
  if (moduleRuns({ ...facts, found }) === undefined) return undefined;
  const version = knownValue(facts.tdxHost.version) ?? found.moduleVersion?.version;
  const release = nearestRelease(version);
  if (release !== version) assumptions.push(`module ${version ?? 'not known'} taken as ${release}`);
  return { release };
}

/** The newest known release of the same line that is not newer; else the oldest of the line. */
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

/** CPUID 0xD: XCR0 bits in subleaf 0 (EDX:EAX), IA32_XSS bits in subleaf 1 (EDX:ECX). */
function xfamOfCpuid(
  cpuid: readonly {
    readonly function: number;
    readonly index: number;
    readonly eax: number;
    readonly ecx: number;
    readonly edx: number;
  }[],
): bigint {
  const subleaf = (index: number) =>
    cpuid.find((entry) => entry.function === 0xd && entry.index === index);
  const [user, supervisor] = [subleaf(0), subleaf(1)];
  return BigInt(user?.eax ?? 0) | (BigInt(user?.edx ?? 0) << 32n) | BigInt(supervisor?.ecx ?? 0);
}

function assumed<Value>(assumptions: string[], what: string, value: Value): Value {
  assumptions.push(`${what} assumed`);
  return value;
}

function lacks(name: string, what: string, hint: string): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_NOT_READABLE',
    op: 'simulate a captured host',
    place: name,
    message: `the capture lacks ${what}`,
    hint,
  });
}
