/**
 * This is the one reading of a host's facts, from which a comparison, a simulated host and an offer
 * are made. What is undefined is not known.
 */
import { findEntry, guestAddressWidths } from '../../abi/kvm/cpuid.ts';
import type { CpuidEntry } from '../../abi/kvm/structs.ts';
import type { HostMemoryFacts } from '../../host/facts.ts';
import { moduleRuns, offersTdx } from '../doctor/evidence.ts';
import type { DoctorFacts } from '../doctor/facts.ts';
import { findInLog, type LogFindings } from '../doctor/log-findings.ts';
import { knownValue } from '../doctor/reading.ts';

export interface HostSummary {
  readonly offersTdx: boolean | undefined;
  readonly maxVcpusOfTd: number | undefined;
  /** KVM_MAX_VCPUS. Where only a VM was asked, the limit of a TD stands in, which is not above. */
  readonly kvmMaxVcpus: number | undefined;
  readonly presentCpus: number | undefined;
  readonly onlineCpus: number | undefined;
  readonly packages: number | undefined;
  readonly supportedAttributes: bigint | undefined;
  readonly supportedXfam: bigint | undefined;
  readonly guestAddressWidths: readonly (48 | 52)[] | undefined;
  readonly tscKhz: number | undefined;
  readonly tscScaling: boolean | undefined;
  readonly moduleRelease: string | undefined;
  readonly keySlots: number | undefined;
  readonly memory: HostMemoryFacts | undefined;
  readonly cpuModel: string | undefined;
  readonly microcode: string | undefined;
  readonly kernelRelease: string | undefined;
  readonly commandLine: string | undefined;
  readonly capabilities: Readonly<Record<string, number>> | undefined;
  readonly supportedCpuid: readonly CpuidEntry[];
  readonly configurableCpuid: readonly CpuidEntry[];
  /** The log is searched only where nothing else tells, since it is the long part of a capture. */
  readonly log: () => LogFindings;
}

export function hostSummary(facts: DoctorFacts): HostSummary {
  const { kvm, cpu, kernel, topology, keySlots } = facts;
  const log = logOf(facts);
  const answers = knownValue(kvm.answers);
  const tdxVm = answers?.tdxVm ?? undefined;
  const { vendor, family, model, modelName, microcode } = knownValue(cpu) ?? {};
  const supportedCpuid = answers?.supportedCpuid ?? [];
  const scaling = answers?.capabilities.KVM_CAP_TSC_CONTROL;
  return {
    offersTdx:
      offersTdx(facts) ?? (moduleRuns({ ...facts, found: log() }) === undefined ? undefined : true),
    maxVcpusOfTd: tdxVm?.maxVcpus,
    kvmMaxVcpus: answers?.capabilities.KVM_CAP_MAX_VCPUS || tdxVm?.maxVcpus,
    presentCpus: knownValue(topology.presentCpus),
    onlineCpus: knownValue(topology.onlineCpus),
    packages: knownValue(topology.packages),
    supportedAttributes: tdxVm && BigInt(tdxVm.supportedAttributes),
    supportedXfam: tdxVm && BigInt(tdxVm.supportedXfam),
    guestAddressWidths: guestAddressWidths(supportedCpuid),
    tscKhz: tscKhzOf(supportedCpuid) ?? log().tscKhz,
    tscScaling: scaling === undefined ? undefined : scaling !== 0,
    moduleRelease: knownValue(facts.tdxHost.version) ?? log().moduleVersion?.version,
    keySlots: knownValue(keySlots.capacity),
    memory: memoryOf(facts),
    cpuModel: vendor === undefined ? undefined : `${modelName} (family ${family}, model ${model})`,
    microcode,
    kernelRelease: knownValue(kernel.release),
    commandLine: knownValue(kernel.commandLine)?.join(' '),
    capabilities: answers?.capabilities,
    supportedCpuid,
    configurableCpuid: tdxVm?.configurableCpuid ?? [],
    log,
  };
}

function logOf(facts: DoctorFacts): () => LogFindings {
  let found: LogFindings | undefined;
  return () => {
    found ??= findInLog(knownValue(facts.log)?.lines ?? []);
    return found;
  };
}

/** CPUID 0x15 gives the crystal clock in ECX in Hz, which EBX / EAX multiplies. */
function tscKhzOf(cpuid: readonly CpuidEntry[]): number | undefined {
  const leaf = findEntry(cpuid, 0x15);
  if (leaf === undefined || leaf.eax === 0 || leaf.ebx === 0 || leaf.ecx === 0) return undefined;
  return Math.round((leaf.ecx * leaf.ebx) / leaf.eax / 1000);
}

function memoryOf({ memory }: DoctorFacts): HostMemoryFacts | undefined {
  const known = knownValue(memory);
  if (known === undefined) return undefined;
  const { totalKib, availableKib } = known;
  return {
    totalBytes: BigInt(totalKib) * 1024n,
    availableBytes: availableKib === null ? undefined : BigInt(availableKib) * 1024n,
    // No released kernel has it dynamic, and a capture holds no limit of its user's cgroup for memory.
    pamt: 'static',
    cgroupBytes: undefined,
  };
}
