/** Makes the meant profile of a host file and the profile that it starts from. It is pure. */
import { executeCpuid, rawXstate } from '../../../abi/cpuid/raw.ts';
import { ADDRESS_SIZES_LEAF } from '../../../abi/kvm/cpuid.ts';
import { type XfamName, xfamFixed1, xfamMask } from '../../../abi/tdx/xfam.ts';
import {
  cpuidOfHost,
  cpuidOfRecorded,
  type HostCpu,
  type HostProfile,
  keyIdRange,
  nearestCpu,
  type Platform,
  presentCpus,
} from '../../../simulator/index.ts';
import type { SimulatedHostFile } from './schema.ts';

/** A field whose value is well formed and does not go with the rest. */
export interface Misfit {
  readonly field: string;
  readonly problem: string;
}

/** @param name the host as `--host sim:NAME` has it, which is the path of the file. */
export function toProfile(
  { metadata, spec }: SimulatedHostFile,
  base: HostProfile,
  name: string,
): HostProfile | readonly Misfit[] {
  const profile: HostProfile = {
    ...base,
    name,
    description: spec.description ?? `${metadata.name}: ${spec.from} with changes`,
    source: `a host file that starts from ${spec.from} (${base.source})`,
    platform: platformOf(spec.platform ?? {}, withKeyIds(base, spec.module)),
    module: moduleOf(spec.module, base.module),
    kvmMaxVcpus: spec.kvm?.maxVcpus ?? base.kvmMaxVcpus,
    recordedCapabilities: { ...base.recordedCapabilities, ...withoutGaps(spec.kvm?.capabilities) },
    foreignTds: spec.foreignTds ?? base.foreignTds ?? 0,
    cgroupLimits:
      spec.cgroupLimits?.map(({ memory, ...limit }) => ({ ...limit, memoryBytes: memory })) ??
      base.cgroupLimits ??
      [],
  };
  const misfits = misfitsOf(profile);
  return misfits.length > 0 ? misfits : profile;
}

/** Of a machine without TDX, usual figures: a module that is put there needs key IDs. */
const assumedKeyIds = { mktme: 63, tdxPrivate: 64 };

function withKeyIds(base: HostProfile, module: SimulatedHostFile['spec']['module']): Platform {
  const { platform } = base;
  const isAdded = base.module === undefined && module !== undefined && module.loaded !== false;
  return isAdded && platform.keyIds.tdxPrivate < 2
    ? { ...platform, keyIds: assumedKeyIds }
    : platform;
}

type SpecOf<Name extends keyof SimulatedHostFile['spec']> = NonNullable<
  SimulatedHostFile['spec'][Name]
>;

function platformOf(spec: SpecOf<'platform'>, base: Platform): Platform {
  const {
    memory,
    tsc,
    xfam,
    keyIds,
    features,
    guestAddressWidth,
    physicalAddressWidth,
    ...counts
  } = spec;
  const platform: Platform = {
    ...base,
    ...withoutGaps(counts),
    memoryBytes: memory ?? base.memoryBytes,
    tscKhz: tsc ?? base.tscKhz,
    keyIds: { ...base.keyIds, ...withoutGaps(keyIds) },
    features: { ...base.features, ...withoutGaps(features) },
    fiveLevelEpt: guestAddressWidth === undefined ? base.fiveLevelEpt : guestAddressWidth === 52,
  };
  const asked = { physicalAddressWidth, xfam: xfam && maskOf(xfam) };
  return { ...platform, cpuid: cpuidOf(platform, base, asked) };
}

/** CPUID names cores, clock, address width and features, so the CPUs of the profile are given those asked. */
function cpuidOf(
  platform: Platform,
  base: Platform,
  asked: {
    readonly physicalAddressWidth: number | undefined;
    readonly xfam: bigint | undefined;
  },
): Platform['cpuid'] {
  const names = ['coresPerPackage', 'threadsPerCore', 'packages', 'tscKhz'] as const;
  const isChanged =
    asked.xfam !== undefined ||
    asked.physicalAddressWidth !== undefined ||
    names.some((name) => platform[name] !== base[name]);
  if (!isChanged) return base.cpuid;
  const { xcr0, xss } = rawXstate(base.cpuid);
  const wanted: HostCpu = {
    signature: executeCpuid(base.cpuid, 1).eax,
    physicalAddressBits:
      asked.physicalAddressWidth ?? executeCpuid(base.cpuid, ADDRESS_SIZES_LEAF).eax & 0xff,
    tscKhz: platform.tscKhz,
    coresPerPackage: platform.coresPerPackage,
    threadsPerCore: platform.threadsPerCore,
    xfam: asked.xfam ?? xcr0 | xss,
  };
  const like = cpuidOfHost(nearestCpu(wanted.signature), wanted);
  return base.recordedCpuid ? cpuidOfRecorded(like, base.recordedCpuid) : like;
}

function maskOf(names: readonly XfamName[]): bigint {
  return names.reduce((mask, name) => mask | xfamMask[name], xfamFixed1);
}

function moduleOf(
  spec: SimulatedHostFile['spec']['module'],
  base: HostProfile['module'],
): HostProfile['module'] {
  if (spec === undefined) return base;
  if (spec.loaded === false) return undefined;
  const release = spec.release ?? base?.release ?? '1.5.28';
  // A limit that a profile gives its module belongs to that module alone.
  const inherited = spec.release === undefined ? base?.maxVcpusPerTd : undefined;
  const maxVcpusPerTd = spec.maxVcpusPerTd ?? inherited;
  return maxVcpusPerTd === undefined ? { release } : { release, maxVcpusPerTd };
}

function misfitsOf({ platform, foreignTds = 0 }: HostProfile): Misfit[] {
  const misfits: Misfit[] = [];
  const present = presentCpus(platform);
  if (platform.offlineCpus >= present) {
    misfits.push({
      field: 'spec.platform.offlineCpus',
      problem: `must be less than the CPUs that are present, which are ${present}`,
    });
  }
  if (platform.keyIds.mktme + platform.keyIds.tdxPrivate > 2047) {
    misfits.push({
      field: 'spec.platform.keyIds',
      problem: 'must be less than 2048 key IDs together: the TDX module takes no more',
    });
  }
  const { guests } = keyIdRange(platform.keyIds);
  if (foreignTds > guests) {
    misfits.push({
      field: 'spec.foreignTds',
      problem: `must be at most the number of key slots, which is ${guests}`,
    });
  }
  return misfits;
}

/** A field that a file leaves out must not hide that of the profile. */
function withoutGaps<Value extends object>(
  value: Value | undefined,
): { [Key in keyof Value]?: Exclude<Value[Key], undefined> } {
  const given = Object.entries(value ?? {}).filter(([, field]) => field !== undefined);
  return Object.fromEntries(given) as { [Key in keyof Value]?: Exclude<Value[Key], undefined> };
}
