/**
 * TDX module releases as data: what differs between them as far as a host can see.
 * Source: github.com/intel/tdx-module at the commit of each release, and the mapping file of
 * github.com/intel/tdx-module-binaries for TDX_FEATURES0.
 */
import {
  cpuid1Dot5Dot01,
  cpuid1Dot5Dot05,
  cpuid1Dot5Dot06,
  cpuid1Dot5Dot28,
  cpuid2Dot0Dot08,
} from './cpuid/releases.ts';
import type { CpuidVirtualisation } from './cpuid/virtual-leaves.ts';

export interface ModuleRelease {
  /** Global metadata field MAX_VCPUS_PER_TD; undefined where the release has no such field. */
  readonly maxVcpusPerTd: number | undefined;
  /** 4 KiB pages. `base` is what a TD needs; the module takes no more than `max`. */
  readonly tdcxPages: { readonly base: number; readonly max: number };
  /** 4 KiB pages of a vCPU, the TDVPR included. */
  readonly tdvpsPages: { readonly base: number; readonly max: number };
  /** Bits of ATTRIBUTES that may be set, before a platform takes some away. */
  readonly attributesFixed0: bigint;
  readonly configFlagsFixed0: bigint;
  readonly features0: bigint;
  readonly cpuid: CpuidVirtualisation;
  /** 1.0 has codes of its own where later ones answer TDX_OP_STATE_INCORRECT. */
  readonly statusCodes: '1.0' | '1.5';
  /** What is taken from another release because this one was not read. */
  readonly unconfirmed?: string;
}

/** Bits of TDX_FEATURES0 that a host looks at. */
export const tdxFeatures0 = {
  TD_MIGRATION: 1n << 0n,
  TD_PRESERVING: 1n << 1n,
  NO_RBP_MOD: 1n << 18n,
  TOPOLOGY_ENUM: 1n << 20n,
  PARTITIONED_TD_MIGRATION: 1n << 21n,
  MAXPA_VIRT: 1n << 27n,
  DYNAMIC_PAMT: 1n << 36n,
} as const;

export const moduleReleases = {
  '1.0': {
    maxVcpusPerTd: undefined,
    tdcxPages: { base: 4, max: 4 },
    tdvpsPages: { base: 6, max: 6 },
    attributesFixed0: 0x8000_0000_7000_0001n,
    configFlagsFixed0: 0x1n,
    features0: 0n,
    cpuid: cpuid1Dot5Dot01,
    statusCodes: '1.0',
    unconfirmed: 'ATTRIBUTES and CONFIG_FLAGS are those of 1.5, cut down; CPUID is that of 1.5.01',
  },
  '1.5.01': {
    maxVcpusPerTd: undefined,
    tdcxPages: { base: 6, max: 9 },
    tdvpsPages: { base: 6, max: 15 },
    attributesFixed0: 0x8000_0000_7000_0001n,
    configFlagsFixed0: 0x7n,
    features0: 0xf0fbfn,
    cpuid: cpuid1Dot5Dot01,
    statusCodes: '1.5',
  },
  '1.5.05': {
    maxVcpusPerTd: 576,
    tdcxPages: { base: 6, max: 9 },
    tdvpsPages: { base: 6, max: 15 },
    attributesFixed0: 0x8000_0000_7800_0001n,
    configFlagsFixed0: 0x7n,
    features0: 0x61f0fbfn,
    cpuid: cpuid1Dot5Dot05,
    statusCodes: '1.5',
    unconfirmed: 'that the MAX_VCPUS_PER_TD field can be read (the limit itself was read)',
  },
  '1.5.06': {
    maxVcpusPerTd: 576,
    tdcxPages: { base: 6, max: 9 },
    tdvpsPages: { base: 6, max: 15 },
    attributesFixed0: 0x8000_0000_7801_0001n,
    configFlagsFixed0: 0xfn,
    features0: 0x2e1f0fbfn,
    cpuid: cpuid1Dot5Dot06,
    statusCodes: '1.5',
    unconfirmed: 'that the MAX_VCPUS_PER_TD field can be read',
  },
  '1.5.28': {
    maxVcpusPerTd: 576,
    tdcxPages: { base: 6, max: 9 },
    tdvpsPages: { base: 6, max: 15 },
    attributesFixed0: 0x8000_0000_7801_0001n,
    configFlagsFixed0: 0x1fn,
    features0: 0x226f3f0fbfn,
    cpuid: cpuid1Dot5Dot28,
    statusCodes: '1.5',
    unconfirmed: 'TDX_FEATURES0 is that of 1.5.16, the newest 1.5 in the mapping file',
  },
  '2.0.02': {
    maxVcpusPerTd: 1376,
    tdcxPages: { base: 7, max: 10 },
    tdvpsPages: { base: 6, max: 15 },
    attributesFixed0: 0xc000_0000_7801_0001n,
    configFlagsFixed0: 0x1fn,
    features0: 0x22e1f0fbfn,
    cpuid: cpuid2Dot0Dot08,
    statusCodes: '1.5',
    unconfirmed: 'CPUID is that of 2.0.08; TDVPS pages are those of 1.5',
  },
  '2.0.08': {
    maxVcpusPerTd: 1376,
    tdcxPages: { base: 9, max: 12 },
    tdvpsPages: { base: 6, max: 15 },
    attributesFixed0: 0xc000_0000_7801_0041n,
    configFlagsFixed0: 0x1fn,
    features0: 0x32a71f0fbfn,
    cpuid: cpuid2Dot0Dot08,
    statusCodes: '1.5',
  },
} as const satisfies Record<string, ModuleRelease>;

export type ModuleReleaseName = keyof typeof moduleReleases;

/** The facts of a release; undefined where no source of that release was read. */
export function moduleRelease(name: string): ModuleRelease | undefined {
  return Object.hasOwn(moduleReleases, name)
    ? moduleReleases[name as ModuleReleaseName]
    : undefined;
}
