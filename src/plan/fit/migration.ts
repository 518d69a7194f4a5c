/**
 * Whether a TD that was built on one host would find the same ground on another. No released KVM
 * moves a TD between hosts; these are the conditions under which one could be moved, or be stopped
 * here and started there without its guest seeing another machine.
 */
import { physicalAddressBits } from '../../abi/kvm/cpuid.ts';
import type { CpuidEntry } from '../../abi/kvm/structs.ts';
import { moduleRelease, tdxFeatures0 } from '../../abi/tdx/module-releases.ts';
import type { HostOffer, KnownHost } from '../../host/offer.ts';
import type { TdxInitVm } from '../../host/port.ts';
import type { TrustDomain } from '../../spec/trust-domain.ts';
import { groundOf, initVmParams, initVmReason } from '../init-vm.ts';
import { always, type Reason } from '../judge/objection.ts';
import { preflightInitVm } from '../preflight.ts';
import { lostCpuid, seenCpuid } from './guest-cpuid.ts';

/** A TD as its host made it: what INIT_VM was given, and what the TD took from the host. */
export interface RunningTd {
  readonly spec: TrustDomain;
  readonly params: TdxInitVm;
  /** What decides which features its guest finds. */
  readonly seen: { readonly xfam: bigint; readonly supported: readonly CpuidEntry[] };
  readonly physicalAddressBits: number | undefined;
  /** TD_PARAMS.MAX_VCPUS. Released kernels write the limit of the VM, not what was asked for. */
  readonly maxVcpus: number;
  readonly tscKhz: number | undefined;
  readonly moduleRelease: string | undefined;
}

export function runningOn(spec: TrustDomain, offer: HostOffer): RunningTd {
  const { maxVcpus, tscKhz } = groundOf(spec, offer);
  const params = initVmParams(spec, offer);
  return {
    spec,
    params: { ...params, cpuid: seenCpuid(params.cpuid) },
    seen: { xfam: params.xfam, supported: offer.supportedCpuid },
    physicalAddressBits: physicalAddressBits(offer.supportedCpuid),
    maxVcpus,
    tscKhz,
    moduleRelease: offer.facts.module?.release,
  };
}

/** Gives every reason against moving it there. Slots and cgroup are the same as for a start. */
export function migrationReasons(td: RunningTd, host: KnownHost): Reason[] {
  const { offer } = host;
  if (offer === undefined) return [always('tdx', 'KVM offers no TDs there, or it was not asked')];
  // The number of vCPUs has a check of its own below.
  const ground = { ...groundOf(td.spec, offer), maxVcpus: 1, tscKhz: td.tscKhz };
  return [
    ...moduleReasons(td, offer),
    ...preflightInitVm(td.params, ground).map(initVmReason),
    ...lostCpuid(td.seen, offer.supportedCpuid),
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
  const features = moduleRelease(release)?.features0 ?? tdxFeatures0.TD_MIGRATION;
  return (features & tdxFeatures0.TD_MIGRATION) !== 0n;
}

function addressReasons(td: RunningTd, { supportedCpuid }: HostOffer): Reason[] {
  const there = physicalAddressBits(supportedCpuid);
  const here = td.physicalAddressBits;
  return here !== undefined && there !== undefined && there < here
    ? [always('addressWidth', `${there} physical address bits; the TD was made with ${here}`)]
    : [];
}

/** The module keeps the TD's frequency where KVM can scale; else the host's has to be the same. */
function tscReasons(
  { tscKhz }: RunningTd,
  { host, offer }: { readonly host: KnownHost; readonly offer: HostOffer },
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
