/** Says why a host cannot take a TD, by every check that can be made without asking the host. */
import {
  type BindingLimit,
  bindingLimit,
  limitNames,
} from '../../../machines/td-lifecycle/limits.ts';
import { roundedBytes } from '../../documents/quantity.ts';
import { vcpuLimits } from '../../host/facts.ts';
import { freeKeySlots, type HostOffer, type KnownHost } from '../../host/offer.ts';
import type { TdxInitVm } from '../../host/port.ts';
import type { TrustDomain } from '../../spec/trust-domain.ts';
import { footprintOf } from '../footprint.ts';
import { groundOf, initVmParams } from '../init-vm.ts';
import { type InitVmField, type InitVmGround, preflightInitVm } from '../preflight.ts';

/** Says what a reason is about, by a stable name for data. */
export type ReasonId =
  | 'tdx'
  | 'vcpus'
  | 'attributes'
  | 'xfam'
  | 'addressWidth'
  | 'tsc'
  | 'cpuid'
  | 'module'
  | 'memory'
  | 'keySlot'
  | 'cgroup';

export interface Reason {
  readonly id: ReasonId;
  /** A clause says what was asked, and what the host has. */
  readonly text: string;
  /** `now` holds for the moment at which the host was read; another time it may take the TD. */
  readonly holds: 'always' | 'now';
}

const idOfField: Readonly<Record<InitVmField, ReasonId>> = {
  attributes: 'attributes',
  xfam: 'xfam',
  gpaw: 'addressWidth',
  tsc: 'tsc',
  cpuid: 'cpuid',
  maxVcpus: 'module',
  keySlot: 'keySlot',
  cgroup: 'cgroup',
};

const momentary: ReadonlySet<ReasonId> = new Set<ReasonId>(['keySlot', 'cgroup']);

/** Gives every reason against a start there, those first that no change of the spec cures. */
export function startReasons(spec: TrustDomain, host: KnownHost): Reason[] {
  const { offer } = host;
  return [
    ...host.obstacles.map((text) => always('tdx', text)),
    ...vcpuReasons(spec, host),
    ...(offer ? startInitVmReasons(spec, { host, offer }) : []),
    ...tscReasons(spec, host),
    ...memoryReasons(spec, host),
  ];
}

export function always(id: ReasonId, text: string): Reason {
  return { id, text, holds: 'always' };
}

function vcpuReasons({ maxVcpus }: TrustDomain, host: KnownHost): Reason[] {
  const limit = vcpuLimitOf(host);
  if (limit === undefined || maxVcpus <= limit.value) return [];
  const { name, value } = limit;
  return [always('vcpus', `${maxVcpus} vCPUs asked for, ${value} possible: ${limitNames[name]}`)];
}

/** Where KVM was not asked, the CPUs present bind, as on every released kernel with TDX. */
function vcpuLimitOf({ offer, presentCpus }: KnownHost): BindingLimit | undefined {
  if (offer) return bindingLimit(vcpuLimits(offer));
  return presentCpus === undefined ? undefined : { name: 'presentCpus', value: presentCpus };
}

function startInitVmReasons(
  spec: TrustDomain,
  { host, offer }: { readonly host: KnownHost; readonly offer: HostOffer },
): Reason[] {
  const ground = {
    ...groundOf(spec, offer),
    freeKeySlots: freeKeySlots(host.keySlots),
    cgroupRoom: host.cgroupRoom,
  };
  return initVmReasons(initVmParams(spec, offer), ground);
}

export function initVmReasons(params: TdxInitVm, ground: InitVmGround): Reason[] {
  return preflightInitVm(params, ground).map(({ field, problem }) => {
    const id = idOfField[field];
    return { id, text: problem, holds: momentary.has(id) ? 'now' : 'always' };
  });
}

function tscReasons({ tscKhz }: TrustDomain, { offer, tscScaling }: KnownHost): Reason[] {
  const own = offer?.facts.platform.tscKhz;
  if (tscKhz === undefined || own === undefined || tscScaling !== false || tscKhz === own)
    return [];
  return [
    always(
      'tsc',
      `${tscKhz / 1000} MHz asked for; the host runs at ${own / 1000} MHz and KVM cannot scale`,
    ),
  ];
}

/** Guest memory and control pages count here; a firmware image of a few MiB does not. */
function memoryReasons(spec: TrustDomain, { offer, memory }: KnownHost): Reason[] {
  if (memory === undefined) return [];
  const needed = offer ? bytesNeeded(spec, offer) : spec.memoryBytes;
  if (needed > memory.totalBytes) {
    return [
      always(
        'memory',
        `${roundedBytes(needed)} needed, the host has ${roundedBytes(memory.totalBytes)}`,
      ),
    ];
  }
  const { availableBytes } = memory;
  return availableBytes !== undefined && needed > availableBytes
    ? [
        {
          id: 'memory',
          text: `${roundedBytes(needed)} needed, ${roundedBytes(availableBytes)} available`,
          holds: 'now',
        },
      ]
    : [];
}

function bytesNeeded(spec: TrustDomain, { facts }: HostOffer): bigint {
  const ram = { slot: 0, holds: 'ram', gpa: 0n, sizeBytes: spec.memoryBytes } as const;
  const layout = { slots: [ram], initialPages: [], hobAddress: 0n };
  return footprintOf(spec, { layout, facts }).totalBytes;
}
