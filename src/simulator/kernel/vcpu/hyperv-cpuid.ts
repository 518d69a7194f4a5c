/** KVM_GET_SUPPORTED_HV_CPUID follows kvm_get_hv_cpuid() in arch/x86/kvm/hyperv.c. */
import type { CpuidEntry } from '../../../abi/kvm/structs.ts';
import type { Answer, CpuidHeader, UserCpuid } from '../../interface.ts';
import { done } from '../answer.ts';
import { CopiedIn, firstRefusal, type Steps } from '../checks.ts';
import type { Kernel } from '../kernel.ts';
import type { Vcpu } from '../objects.ts';
import { evmcsVersions } from './enlightened-vmcs.ts';

interface HypervCpuidCall {
  readonly user: UserCpuid;
  readonly header: CopiedIn<CpuidHeader>;
  readonly entries: readonly CpuidEntry[];
}

const steps: Steps<HypervCpuidCall> = {
  'argument.unreadable': ({ header }) => header.fails(),
  'hyperv-cpuid.too-small': ({ header, entries }) => header.value.nent < entries.length,
  'argument.unwritable': ({ user, header, entries }) => {
    const { padding } = header.value;
    return !user.writeEntries(entries) || !user.writeHeader({ nent: entries.length, padding });
  },
};

/** @param vcpu undefined on /dev/kvm, which tells what a vCPU can have. */
export function getSupportedHypervCpuid(
  kernel: Kernel,
  vcpu: Vcpu | undefined,
  user: UserCpuid,
): Answer {
  const request =
    vcpu === undefined ? 'KVM_GET_SUPPORTED_HV_CPUID on /dev/kvm' : 'KVM_GET_SUPPORTED_HV_CPUID';
  const header = new CopiedIn(() => user.readHeader());
  const call = { user, header, entries: entriesOf(kernel, vcpu) };
  return firstRefusal(kernel, request, { steps, call }) ?? done;
}

/** They depend on where the vCPU has its local APIC, on its enlightened VMCS and on hyper-threading. */
function entriesOf(kernel: Kernel, vcpu: Vcpu | undefined): readonly CpuidEntry[] {
  const { profile } = kernel;
  const lapic = vcpu === undefined || vcpu.vm.irqchip !== 'none';
  const evmcs = evmcsVersions(kernel, vcpu);
  const [ebx, ecx, edx] = signature;
  return [
    { ...nothing, function: 0x4000_0000, eax: 0x4000_0082, ebx, ecx, edx },
    // "Hv#1"
    { ...nothing, function: 0x4000_0001, eax: 0x3123_7648 },
    // Hyper-V 2016.
    { ...nothing, function: 0x4000_0002, eax: 0x3839, ebx: 0xa_0000 },
    {
      ...nothing,
      function: 0x4000_0003,
      eax: 0xaaff,
      ebx: 0x10_0830,
      edx: 0x4d12 | (lapic ? STIMER_DIRECT_MODE : 0),
    },
    {
      ...nothing,
      function: 0x4000_0004,
      eax:
        0xa2c |
        (lapic ? CLUSTER_IPI : 0) |
        (evmcs === 0 ? 0 : ENLIGHTENED_VMCS) |
        (profile.platform.threadsPerCore > 1 ? 0 : NO_NONARCH_CORESHARING),
      ebx: 0xfff,
    },
    { ...nothing, function: 0x4000_0005, eax: profile.kvmMaxVcpus, ebx: 64 },
    { ...nothing, function: 0x4000_0080, ebx, ecx, edx },
    // "VS#1"
    { ...nothing, function: 0x4000_0081, eax: 0x3123_5356 },
    { ...nothing, function: 0x4000_0082, eax: 2 },
    { ...nothing, function: 0x4000_000a, eax: evmcs | 0xa_0000, ebx: 1 },
  ];
}

/** "Linux KVM Hv" in three registers. */
const signature = [0x756e_694c, 0x564b_2078, 0x7648_204d] as const;
const STIMER_DIRECT_MODE = 1 << 19;
const CLUSTER_IPI = 1 << 10;
const ENLIGHTENED_VMCS = 1 << 14;
const NO_NONARCH_CORESHARING = 1 << 18;
const nothing = { index: 0, flags: 0, eax: 0, ebx: 0, ecx: 0, edx: 0 } as const;
