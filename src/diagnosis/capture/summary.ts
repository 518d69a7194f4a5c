/** Of the facts of a host, what a TD depends on. */
import type { CpuidEntry } from '../../abi/kvm/structs.ts';
import { moduleRuns, offersTdx } from '../doctor/evidence.ts';
import type { DoctorFacts } from '../doctor/facts.ts';
import { findInLog } from '../doctor/log-findings.ts';
import { knownValue } from '../doctor/reading.ts';

export interface HostSummary {
  readonly offersTdx: boolean | undefined;
  readonly maxVcpusOfTd: number | undefined;
  readonly presentCpus: number | undefined;
  readonly supportedAttributes: bigint | undefined;
  readonly supportedXfam: bigint | undefined;
  readonly guestAddressBits: 48 | 52 | undefined;
  readonly tscKhz: number | undefined;
  readonly moduleRelease: string | undefined;
  readonly keySlots: number | undefined;
  readonly memoryMib: number | undefined;
  readonly cpuModel: string | undefined;
  readonly microcode: string | undefined;
  readonly kernelRelease: string | undefined;
  readonly commandLine: string | undefined;
  readonly capabilities: Readonly<Record<string, number>> | undefined;
  readonly supportedCpuid: readonly CpuidEntry[];
  readonly configurableCpuid: readonly CpuidEntry[];
}

export function hostSummary(facts: DoctorFacts): HostSummary {
  const { kvm, cpu, kernel, topology, keySlots, memory } = facts;
  const found = findInLog(knownValue(facts.log)?.lines ?? []);
  const answers = knownValue(kvm.answers);
  const tdxVm = answers?.tdxVm ?? undefined;
  const { vendor, family, model, modelName, microcode } = knownValue(cpu) ?? {};
  const totalKib = knownValue(memory)?.totalKib;
  return {
    offersTdx:
      offersTdx(facts) ?? (moduleRuns({ ...facts, found }) === undefined ? undefined : true),
    maxVcpusOfTd: tdxVm?.maxVcpus,
    presentCpus: knownValue(topology.presentCpus),
    supportedAttributes: tdxVm && BigInt(tdxVm.supportedAttributes),
    supportedXfam: tdxVm && BigInt(tdxVm.supportedXfam),
    guestAddressBits: answers && guestAddressBits(answers.supportedCpuid),
    tscKhz: tscKhzOf(answers?.supportedCpuid ?? []) ?? found.tscKhz,
    moduleRelease: knownValue(facts.tdxHost.version) ?? found.moduleVersion?.version,
    keySlots: knownValue(keySlots.capacity),
    memoryMib: totalKib === undefined ? undefined : Math.round(totalKib / 1024),
    cpuModel: vendor === undefined ? undefined : `${modelName} (family ${family}, model ${model})`,
    microcode,
    kernelRelease: knownValue(kernel.release),
    commandLine: knownValue(kernel.commandLine)?.join(' '),
    capabilities: answers?.capabilities,
    supportedCpuid: answers?.supportedCpuid ?? [],
    configurableCpuid: tdxVm?.configurableCpuid ?? [],
  };
}

/** KVM reports in CPUID 0x80000008 EAX[23:16] what its page tables can map. */
export function guestAddressBits(cpuid: readonly CpuidEntry[]): 48 | 52 | undefined {
  const leaf = cpuid.find((entry) => entry.function === 0x8000_0008);
  if (leaf === undefined) return undefined;
  return ((leaf.eax >>> 16) & 0xff) >= 52 ? 52 : 48;
}

/** CPUID 0x15: crystal clock ECX in Hz, times EBX / EAX. */
export function tscKhzOf(cpuid: readonly CpuidEntry[]): number | undefined {
  const leaf = cpuid.find((entry) => entry.function === 0x15);
  if (leaf === undefined || leaf.eax === 0 || leaf.ebx === 0 || leaf.ecx === 0) return undefined;
  return Math.round((leaf.ecx * leaf.ebx) / leaf.eax / 1000);
}
