/** Performance counters: intel_is_valid_msr(), intel_pmu_set_msr() and kvm_pmu_set_msr(). */
import { msr } from '../../../../abi/kvm/msrs.ts';
import { guestHas } from '../../vcpu/guest-cpu-caps.ts';
import { ones } from '../bits.ts';
import { isCanonicalForMsr } from '../canonical.ts';
import { counterMask, maskOf, mostCounters, type Pmu, pmuOf } from '../pmu.ts';
import type { MsrAccess, Presence, PresenceRule, RangeRule } from '../rule.ts';
import { perfCapabilitiesOf } from './features.ts';

const pmuFor = ({ kernel, vcpu }: MsrAccess) => pmuOf(kernel.profile.platform, vcpu);
const presentIf = (isThere: boolean): Presence => (isThere ? 'there' : 'unsupported');

/** The first two counters and selectors are those of every P6: without a PMU they read as 0. */
const isOfP6 = (index: number) =>
  index <= msr.P6_PERFCTR1 || index === msr.P6_EVNTSEL0 || index === msr.P6_EVNTSEL1;

const general = (first: number): Pick<RangeRule, 'first' | 'last' | 'presence'> => ({
  first,
  last: first + mostCounters.general - 1,
  presence: (access) => presentIf(hasGeneral(access, first) || isOfP6(access.index)),
});

function hasGeneral(access: MsrAccess, first: number): boolean {
  return access.index - first < pmuFor(access).general;
}

const hasGlobalControl: PresenceRule = (access) => presentIf(pmuFor(access).version > 1);

/** A fixed counter is enabled in the kernel, for the user, and to interrupt. */
const fixedControlBits = 0b1011n;
const perfCap = { pebsFormat: 0xf00n, fullWidthWrites: 1n << 13n } as const;
/** OVF_BUF and COND_CHGD */
const statusBits = ones(63, 62);

const hasPebs = (access: MsrAccess) => (perfCapabilitiesOf(access) & perfCap.pebsFormat) !== 0n;

function fixedControl({ fixed }: Pmu): bigint {
  return Array.from({ length: fixed }, (_, i) => fixedControlBits << BigInt(4 * i)).reduce(
    (mask, bits) => mask | bits,
    0n,
  );
}

export const pmuRules: readonly RangeRule[] = [
  {
    ...general(msr.IA32_PERFCTR0),
    keeps: (data, access) =>
      hasGeneral(access, msr.IA32_PERFCTR0) ? data & pmuFor(access).generalBits : undefined,
  },
  {
    ...general(msr.P6_EVNTSEL0),
    accepts: (data, access) =>
      !hasGeneral(access, msr.P6_EVNTSEL0) || (data & selectorReserved(access)) === 0n,
    keeps: (data, access) => (hasGeneral(access, msr.P6_EVNTSEL0) ? data : undefined),
  },
  {
    // The same counters, with writes of their full width.
    first: msr.IA32_PMC0,
    last: msr.IA32_PMC0 + mostCounters.general - 1,
    presence: (access) =>
      presentIf(
        (perfCapabilitiesOf(access) & perfCap.fullWidthWrites) !== 0n &&
          hasGeneral(access, msr.IA32_PMC0),
      ),
    accepts: (data, access) => (data & ~pmuFor(access).generalBits) === 0n,
    keptAs: (index) => index - msr.IA32_PMC0 + msr.IA32_PERFCTR0,
  },
  {
    first: msr.CORE_PERF_FIXED_CTR0,
    last: msr.CORE_PERF_FIXED_CTR0 + mostCounters.fixed - 1,
    presence: (access) => presentIf(access.index - msr.CORE_PERF_FIXED_CTR0 < pmuFor(access).fixed),
    keeps: (data, access) => data & pmuFor(access).fixedBits,
  },
  {
    first: msr.CORE_PERF_FIXED_CTR_CTRL,
    presence: hasGlobalControl,
    accepts: (data, access) => (data & ~fixedControl(pmuFor(access))) === 0n,
  },
  {
    first: msr.CORE_PERF_GLOBAL_STATUS,
    presence: hasGlobalControl,
    accepts: acceptsStatus,
  },
  {
    first: msr.CORE_PERF_GLOBAL_CTRL,
    presence: hasGlobalControl,
    // As on hardware, the general counters are enabled from the start.
    reset: (access) => maskOf(pmuFor(access).general),
    accepts: (data, access) => (data & ~counterMask(pmuFor(access))) === 0n,
  },
  {
    first: msr.CORE_PERF_GLOBAL_OVF_CTRL,
    presence: hasGlobalControl,
    read: () => 0n,
    accepts: acceptsStatus,
    keeps: () => undefined,
  },
  {
    first: msr.IA32_PEBS_ENABLE,
    presence: (access) => presentIf(hasPebs(access)),
    // Without adaptive PEBS, which KVM never offers, the general counters have it.
    accepts: (data, access) => (data & ~maskOf(pebsCounters(access))) === 0n,
  },
  {
    first: msr.IA32_DS_AREA,
    presence: ({ kernel, vcpu }) => presentIf(guestHas(kernel, vcpu, 'DS')),
    accepts: isCanonicalForMsr,
  },
  // Its configuration belongs to adaptive PEBS.
  { first: msr.PEBS_DATA_CFG, presence: () => 'unsupported' },
];

function acceptsStatus(data: bigint, access: MsrAccess): boolean {
  return (data & ~(counterMask(pmuFor(access)) | statusBits)) === 0n;
}

function pebsCounters(access: MsrAccess): number {
  const { version, general } = pmuFor(access);
  return version > 1 ? general : 0;
}

/** HSW_IN_TX_CHECKPOINTED is the third counter's alone. */
function selectorReserved(access: MsrAccess): bigint {
  const { selectorReserved } = pmuFor(access);
  const allowsTransactions = (selectorReserved & (1n << 32n)) === 0n;
  const isThird = access.index - msr.P6_EVNTSEL0 === 2;
  return allowsTransactions && isThird ? selectorReserved ^ (1n << 33n) : selectorReserved;
}
