/**
 * Whether a TD that was built on one host would find the same ground on another. No released KVM
 * moves a TD between hosts; these are the conditions under which one could be moved, or be stopped
 * here and started there without its guest seeing another machine.
 */

import type { CpuidEntry } from '../../abi/kvm/structs.ts';
import { type ModuleRelease, moduleReleases, tdxFeatures0 } from '../../abi/tdx/module-releases.ts';
import type { HostOffer } from '../../host/offer.ts';
import type { TdxInitVm } from '../../host/port.ts';
import type { TrustDomain } from '../../spec/trust-domain.ts';
import { groundOf, initVmParams } from '../init-vm.ts';
import type { FitHost } from './fit-host.ts';
import { always, initVmReasons, type Reason } from './reasons.ts';

/** A TD as its host made it: what KVM_TDX_INIT_VM was given there, as far as the guest depends on it, and what it took from the host. */
export interface RunningTd {
  readonly spec: TrustDomain;
  readonly params: TdxInitVm;
  readonly physicalAddressBits: number | undefined;
  /** TD_PARAMS.MAX_VCPUS: released kernels write the limit of the VM, not what was asked for. */
  readonly maxVcpus: number;
  readonly tscKhz: number | undefined;
  readonly moduleRelease: string | undefined;
}

export function runningOn(spec: TrustDomain, offer: HostOffer): RunningTd {
  const { maxVcpus, tscKhz } = groundOf(spec, offer);
  return {
    spec,
    params: { ...initVmParams(spec, offer), cpuid: seenCpuid(initVmParams(spec, offer).cpuid) },
    physicalAddressBits: physicalAddressBits(offer.supportedCpuid),
    maxVcpus,
    tscKhz,
    moduleRelease: offer.facts.module?.release,
  };
}

/** Every reason against moving it there. Slots and cgroup are the same as for a start. */
export function migrationReasons(td: RunningTd, host: FitHost): Reason[] {
  const { offer } = host;
  if (offer === undefined) return [always('tdx', 'KVM offers no TDs there, or it was not asked')];
  // Its number of vCPUs has a check of its own below.
  const ground = { ...groundOf(td.spec, offer), maxVcpus: 1, tscKhz: td.tscKhz };
  return [
    ...moduleReasons(td, offer),
    ...initVmReasons(td.params, ground),
    ...lostCpuid(td.params.cpuid, offer.supportedCpuid),
    ...addressReasons(td, offer),
    ...tscReasons(td, { host, offer }),
  ];
}

function moduleReasons({ moduleRelease, maxVcpus }: RunningTd, { facts }: HostOffer): Reason[] {
  const limit = facts.module?.maxVcpusPerTd;
  return [
    ...[moduleRelease, facts.module?.release]
      .filter((release) => release !== undefined && !canMigrate(release))
      .map((release) => always('module', `TDX module ${release} cannot migrate TDs`)),
    ...(limit !== undefined && maxVcpus > limit
      ? [always('module', `the TD was made for ${maxVcpus} vCPUs, the TDX module takes ${limit}`)]
      : []),
  ];
}

/** A release that is in no table is newer, and has what 1.5 has. */
function canMigrate(release: string): boolean {
  const known: Readonly<Record<string, ModuleRelease>> = moduleReleases;
  const features = known[release]?.features0 ?? tdxFeatures0.TD_MIGRATION;
  return (features & tdxFeatures0.TD_MIGRATION) !== 0n;
}

const registers = ['eax', 'ebx', 'ecx', 'edx'] as const;
const ADDRESS_SIZES_LEAF = 0x80000008;
const GUEST_WIDTH_MASK = 0x00ff_0000;

/** Caches, topology and clock: numbers that describe a machine, not features to depend on. */
const descriptive = new Set([0x2, 0x4, 0xb, 0x15, 0x16, 0x18, 0x1f]);

/** What of the configured CPUID the guest can depend on: features, the CPU model, address width. */
function seenCpuid(cpuid: readonly CpuidEntry[]): CpuidEntry[] {
  return cpuid
    .filter((entry) => !descriptive.has(entry.function))
    .map((entry) =>
      entry.function === ADDRESS_SIZES_LEAF
        ? { ...entry, eax: entry.eax & GUEST_WIDTH_MASK }
        : entry,
    )
    .filter((entry) => registers.some((register) => entry[register] !== 0));
}

/** Bits that the guest was given and the CPUs of the other host do not have. */
function lostCpuid(given: readonly CpuidEntry[], supported: readonly CpuidEntry[]): Reason[] {
  return given.filter(holdsFeatures).flatMap((entry) => {
    const there = supported.find(
      (other) => other.function === entry.function && other.index === entry.index,
    );
    return registers.flatMap((register) => {
      const lost = (entry[register] & ~(there?.[register] ?? 0)) >>> 0;
      if (lost === 0) return [];
      const leaf = `0x${entry.function.toString(16)}.${entry.index} ${register.toUpperCase()}`;
      return [always('cpuid', `leaf ${leaf}: the CPUs lack 0x${lost.toString(16)}`)];
    });
  });
}

/** The model in leaf 1 EAX and the widths are compared as wholes, elsewhere. */
function holdsFeatures({ function: leaf }: CpuidEntry): boolean {
  return leaf > 1 && leaf !== ADDRESS_SIZES_LEAF;
}

/** CPUID 0x80000008 EAX[7:0]. */
function physicalAddressBits(cpuid: readonly CpuidEntry[]): number | undefined {
  const leaf = cpuid.find((entry) => entry.function === ADDRESS_SIZES_LEAF);
  return leaf && leaf.eax & 0xff;
}

function addressReasons(td: RunningTd, { supportedCpuid }: HostOffer): Reason[] {
  const there = physicalAddressBits(supportedCpuid);
  const here = td.physicalAddressBits;
  return here !== undefined && there !== undefined && there < here
    ? [always('addressWidth', `${there} physical address bits; the TD was made with ${here}`)]
    : [];
}

/** The module keeps the TD's frequency where KVM can scale; else the host's own has to be the same. */
function tscReasons(
  { tscKhz }: RunningTd,
  { host, offer }: { readonly host: FitHost; readonly offer: HostOffer },
): Reason[] {
  const own = offer.facts.platform.tscKhz;
  if (host.tscScaling !== false || tscKhz === undefined || own === undefined || tscKhz === own) {
    return [];
  }
  return [
    always(
      'tsc',
      `the TD runs at ${tscKhz / 1000} MHz, the host at ${own / 1000} MHz, and KVM cannot scale`,
    ),
  ];
}
