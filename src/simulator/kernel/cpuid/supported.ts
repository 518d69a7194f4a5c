/**
 * KVM_GET_SUPPORTED_CPUID: what KVM makes of the CPU's leaves for a guest, leaf by leaf. Leaves that it
 * does not know are 0.
 * Source: __do_cpuid_func() and kvm_dev_ioctl_get_cpuid() in arch/x86/kvm/cpuid.c, Linux 7.3.
 */
import { executeCpuid, xsaveAreaBytes } from '../../../abi/cpuid/raw.ts';
import { allZero, bitsOf, type CpuidRegisters } from '../../../abi/cpuid/registers.ts';
import { ADDRESS_SIZES_LEAF } from '../../../abi/kvm/cpuid.ts';
import { type CpuidEntry, KVM_CPUID_FLAG_SIGNIFCANT_INDEX } from '../../../abi/kvm/structs.ts';
import type { Platform } from '../../platform.ts';
import { type Supported, supportedFeatures } from './cpu-caps.ts';
import { type HostCpu, keptFor } from './kept.ts';

/** What the machine answers: as it was recorded, or derived. */
export function supportedCpuid(host: HostCpu & Pick<Platform, 'recordedCpuid'>) {
  return host.recordedCpuid ?? derivedCpuid(host);
}

const derivedCpuid = keptFor(derive);

function derive(platform: HostCpu): readonly CpuidEntry[] {
  const supported = supportedFeatures(platform);
  const leaf = (number: number) => leafEntries(number, supported, platform);
  return [0, 0x8000_0000, 0x4000_0000].flatMap((first) => {
    const entries = leaf(first);
    // The first leaf of a range tells its last.
    const last = entries.at(-1)?.eax ?? first;
    for (let next = first + 1; next <= last; next++) entries.push(...leaf(next));
    return entries;
  });
}

/** The highest leaf of each range that KVM knows. */
const highest = { basic: 0x24, extended: 0x8000_0022, paravirtual: 0x4000_0001 } as const;

/** Leaves whose subleaves differ, so that the index of an entry counts (cpuid_function_is_indexed). */
const indexed: ReadonlySet<number> = new Set([
  0x4, 0x7, 0xb, 0xd, 0xf, 0x10, 0x12, 0x14, 0x17, 0x18, 0x1d, 0x1e, 0x1f, 0x23, 0x24, 0x8000_001d,
]);

/** One entry of a leaf; a register that is left out is 0. */
type Given = Partial<CpuidRegisters> & { readonly index?: number };
type Host = (subleaf?: number) => CpuidRegisters;
type Rule = (host: Host, supported: Supported, platform: HostCpu) => Given[];

function leafEntries(leaf: number, supported: Supported, platform: HostCpu): CpuidEntry[] {
  const host = (subleaf = 0) => executeCpuid(platform.cpuid, leaf, subleaf);
  const flags = indexed.has(leaf) ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0;
  const given = rules[leaf]?.(host, supported, platform) ?? [{}];
  return given.map(({ index = 0, ...registers }) => ({
    function: leaf,
    index,
    flags,
    ...allZero,
    ...registers,
  }));
}

const copied: Rule = (host) => [host()];

const rules: Readonly<Record<number, Rule>> = {
  0: (host) => [{ ...host(), eax: Math.min(host().eax, highest.basic) }],
  1: (host, { caps }) => [{ ...host(), ecx: caps.word('1.ecx'), edx: caps.word('1.edx') }],
  2: copied,
  4: (host) => untilEmptyCache(host),
  // ARAT
  6: () => [{ eax: 0x4 }],
  7: (host, { caps }) => {
    const last = Math.min(host().eax, 2);
    const subleaves: Given[] = [
      {
        eax: last,
        ebx: caps.word('7.0.ebx'),
        ecx: caps.word('7.0.ecx'),
        edx: caps.word('7.0.edx'),
      },
      {
        index: 1,
        eax: caps.word('7.1.eax'),
        ecx: caps.word('7.1.ecx'),
        edx: caps.word('7.1.edx'),
      },
      { index: 2, edx: caps.word('7.2.edx') },
    ];
    return subleaves.slice(0, last + 1);
  },
  10: (host, _, { features }) => [features.pmu ? pmu(host()) : {}],
  // No topology: there is no subleaf 1. The x2APIC id is that of the CPU that was asked, here the first.
  11: (host) => [{ edx: host().edx }],
  13: xstate,
  18: (host, { caps }) => (caps.has('SGX') ? sgx(host, caps.word('0x12.0.eax')) : [{}]),
  // Processor Trace stays with the host.
  20: () => [{}],
  29: (host, { caps }) => (caps.has('AMX_TILE') ? withSubleaves(host, host().eax) : [{}]),
  30: (host, { caps }) => {
    if (!caps.has('AMX_TILE')) return [{}];
    const last = Math.min(host().eax, 1);
    const more = { index: 1, eax: caps.word('0x1e.1.eax') };
    return [{ ...host(), eax: last }, ...(last === 1 ? [more] : [])];
  },
  31: (host) => [{ edx: host().edx }],
  36: (host, { caps }) => {
    if (!caps.has('AVX10')) return [{}];
    const last = Math.min(host().eax, 1);
    const version = Math.min(host().ebx & 0xff, 2);
    const more = { index: 1, ecx: caps.word('0x24.1.ecx') };
    const first = { eax: last, ebx: caps.word('0x24.0.ebx') | version };
    return [first, ...(last === 1 ? [more] : [])];
  },
  // `KVMKVMKVM` and what it stands for
  1073741824: () => [{ eax: highest.paravirtual, ebx: 0x4b4d_564b, ecx: 0x564b_4d56, edx: 0x4d }],
  [highest.paravirtual]: () => [{ eax: paravirtualFeatures }],
  2147483648: (host) => [{ ...host(), eax: Math.min(host().eax, highest.extended) }],
  2147483649: (host, { caps }) => [
    {
      ...host(),
      ebx: (host().ebx & ~0x0fff_0000) >>> 0,
      ecx: caps.word('0x80000001.ecx'),
      edx: caps.word('0x80000001.edx'),
    },
  ],
  2147483653: copied,
  2147483654: (host) => [{ ...host(), edx: (host().edx & ~bitsOf(16, 17)) >>> 0 }],
  2147483655: (_, { caps }) => [{ edx: caps.word('0x80000007.edx') }],
  [ADDRESS_SIZES_LEAF]: (host, { caps }, { fiveLevelEpt }) => {
    const { eax, ecx } = host();
    const physical = eax & 0xff;
    const linear = Math.max((eax >>> 8) & 0xff, 48);
    // What KVM's page tables reach, which is never more than a guest can address.
    const reachable = fiveLevelEpt ? physical : Math.min(physical, 48);
    return [
      {
        eax: physical | (linear << 8) | (reachable << 16),
        ebx: caps.word('0x80000008.ebx'),
        ecx: (ecx & ~0xffff_0f00) >>> 0,
      },
    ];
  },
};

/** An entry without a cache type is the last. */
function untilEmptyCache(host: Host): Given[] {
  const caches: Given[] = [];
  for (let index = 0; ; index++) {
    const cache = host(index);
    caches.push({ ...cache, index });
    if ((cache.eax & 0x1f) === 0) return caches;
  }
}

function withSubleaves(host: Host, last: number): Given[] {
  return Array.from({ length: last + 1 }, (_, index) => ({ ...host(index), index }));
}

/** KVM's PMU has at most version 2, 8 general counters and 3 fixed ones, and no AnyThread. */
function pmu({ eax, ebx, edx }: CpuidRegisters): Given {
  const version = Math.min(eax & 0xff, 2);
  const counters = Math.min((eax >>> 8) & 0xff, 8);
  const fixed = Math.min(edx & 0x1f, 3);
  const anyThreadDeprecated = version === 0 ? 0 : bitsOf(15);
  return {
    eax: ((eax & 0xffff_0000) | (counters << 8) | version) >>> 0,
    ebx,
    edx: (edx & 0x1fe0) | fixed | anyThreadDeprecated,
  };
}

/** Components that a guest may have; sizes count for all of them, as if it had them switched on. */
function xstate(host: Host, { caps, xcr0, xss }: Supported, { cpuid: cpu }: HostCpu): Given[] {
  const [low, high] = halves(xcr0);
  const [supervisorLow, supervisorHigh] = halves(xss);
  const bytes = xsaveAreaBytes(cpu, xcr0, 'standard');
  const first = { eax: (host().eax & low) >>> 0, ebx: bytes, ecx: bytes, edx: host().edx & high };
  if (xcr0 === 0n) return [first];
  const compacted = caps.has('XSAVES') || caps.has('XSAVEC');
  const second = {
    index: 1,
    eax: caps.word('0xd.1.eax'),
    ebx: compacted ? xsaveAreaBytes(cpu, xcr0 | xss, 'compacted') : 0,
    ecx: (host(1).ecx & supervisorLow) >>> 0,
    edx: host(1).edx & supervisorHigh,
  };
  return [first, second, ...components(host, { caps, xcr0, xss })];
}

function components(host: Host, { caps, xcr0, xss }: Supported): Given[] {
  const found: Given[] = [];
  for (let index = 2; index < 64; index++) {
    if ((((xcr0 | xss) >> BigInt(index)) & 1n) === 0n) continue;
    const { eax, ebx, ecx } = host(index);
    // Without XFD nothing can be said to fault by it.
    found.push({ index, eax, ebx, ecx: caps.has('XFD') ? ecx : (ecx & ~bitsOf(2)) >>> 0 });
  }
  return found;
}

function halves(mask: bigint): [low: number, high: number] {
  return [Number(mask & 0xffff_ffffn), Number(mask >> 32n)];
}

/** EXINFO of MISCSELECT; the attributes that an enclave may have, privileged ones among them. */
const sgxMiscExinfo = bitsOf(0);
const sgxAttributes = bitsOf(1, 2, 4, 5, 7, 10);

function sgx(host: Host, features: number): Given[] {
  const attributes = host(1);
  return [
    { ...host(), eax: features, ebx: host().ebx & sgxMiscExinfo },
    { ...attributes, index: 1, eax: attributes.eax & sgxAttributes, ebx: 0 },
  ];
}

/**
 * CLOCKSOURCE, NOP_IO_DELAY, CLOCKSOURCE2, ASYNC_PF, STEAL_TIME, PV_EOI, PV_UNHALT; PV_TLB_FLUSH,
 * ASYNC_PF_VMEXIT, PV_SEND_IPI, POLL_CONTROL, PV_SCHED_YIELD, ASYNC_PF_INT; CLOCKSOURCE_STABLE_BIT.
 */
const paravirtualFeatures = bitsOf(0, 1, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 24);
