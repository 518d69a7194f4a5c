/** MSRs that tell what the CPU is, which is as much as CPUID leaves. */
import { msr } from '../../../../abi/kvm/msrs.ts';
import { quirks } from '../../../../abi/kvm/quirks.ts';
import { supportedCpuid } from '../../cpuid/supported.ts';
import { cpuModel, guestHas } from '../../vcpu/guest-cpu-caps.ts';
import { resetPmu } from '../pmu.ts';
import type { MsrAccess, RangeRule } from '../rule.ts';
import { keptValue, onlyBits } from '../rule.ts';

/** KVM gives a new vCPU the host's features, unless KVM_X86_QUIRK_STUFF_FEATURE_MSRS is disabled. */
export const isStuffed = ({ vcpu: { vm } }: MsrAccess) =>
  (vm.caps.disabledQuirks & quirks.STUFF_FEATURE_MSRS) === 0n;

const featureOfHost = ({ kernel, index }: MsrAccess) => kernel.msrs.features.get(index) ?? 0n;
const stuffed = (access: MsrAccess) => (isStuffed(access) ? featureOfHost(access) : 0n);

const perfCap = { lbrFormat: 0x3fn, pebsFormat: 0xf00n, pebs: 0x2_4fc0n } as const;
const CPUID_FAULT = { platform: 1n << 31n, enable: 1n } as const;

const platformInfo: RangeRule = { first: msr.PLATFORM_INFO, reset: stuffed };

export const featureRules: readonly RangeRule[] = [
  {
    first: msr.IA32_UCODE_REV,
    reset: (access) => (access.vcpu.td === undefined && isStuffed(access) ? 0x1_0000_0000n : 0n),
  },
  {
    first: msr.IA32_ARCH_CAPABILITIES,
    presence: ({ kernel, vcpu }) =>
      guestHas(kernel, vcpu, 'ARCH_CAPABILITIES') ? 'there' : 'unsupported',
    reset: stuffed,
  },
  {
    first: msr.IA32_PERF_CAPABILITIES,
    // The parts of it that only fit as a whole are looked at first.
    presence: ({ kernel, vcpu }) => (guestHas(kernel, vcpu, 'PDCM') ? 'there' : 'unsupported'),
    reset: stuffed,
    accepts: acceptsPerfCapabilities,
    keeps: (data, access) => {
      if (data !== keptValue(perfCapabilities, access)) resetPmu(access.vcpu);
      return data;
    },
  },
  platformInfo,
  {
    first: msr.MISC_FEATURES_ENABLES,
    // A guest can have CPUID faulting where the platform has it.
    accepts: (data, access) => {
      const platform = keptValue(platformInfo, { ...access, index: msr.PLATFORM_INFO });
      return (
        onlyBits(CPUID_FAULT.enable)(data) &&
        (data === 0n || (platform & CPUID_FAULT.platform) !== 0n)
      );
    },
  },
];

const perfCapabilities = { reset: stuffed };

/** vcpu_get_perf_capabilities(): what the guest's PMU goes by. */
export function perfCapabilitiesOf(access: Omit<MsrAccess, 'index'>): bigint {
  return guestHas(access.kernel, access.vcpu, 'PDCM')
    ? keptValue(perfCapabilities, { ...access, index: msr.IA32_PERF_CAPABILITIES })
    : 0n;
}

/** The formats of branch records and of PEBS are those of the host, on the host's model, or none. */
function acceptsPerfCapabilities(data: bigint, access: MsrAccess): boolean {
  const { kernel, vcpu } = access;
  const supported = featureOfHost(access);
  const isHostModel = cpuModel(vcpu.cpuid) === cpuModel(supportedCpuid(kernel.profile.platform));
  const isAsHost = (mask: bigint) => (data & mask) === (supported & mask) && isHostModel;
  if ((data & perfCap.lbrFormat) !== 0n && !isAsHost(perfCap.lbrFormat)) return false;
  if ((data & perfCap.pebsFormat) !== 0n) {
    const hasStore = guestHas(kernel, vcpu, 'DS') && guestHas(kernel, vcpu, 'DTES64');
    if (!isAsHost(perfCap.pebs) || !hasStore) return false;
  }
  return (data & ~supported) === 0n;
}
