/**
 * What setup_tdparams() in arch/x86/kvm/vmx/tdx.c looks at in struct kvm_tdx_init_vm: one rule for each
 * check, which the simulator decides by and which plan and lint ask beforehand and afterwards.
 */
import { attributeNames } from '../tdx/attributes.ts';
import { xfamNames } from '../tdx/xfam.ts';
import type { CheckName } from './checks/index.ts';
import { ADDRESS_SIZES_LEAF, forbiddenFeatures, guestAddressBits } from './cpuid.ts';
import { type CpuidEntry, KVM_CPUID_FLAG_SIGNIFCANT_INDEX } from './structs.ts';

export interface InitVmFacts {
  readonly attributes: bigint;
  readonly xfam: bigint;
  readonly entries: readonly CpuidEntry[];
  /** What KVM_TDX_CAPABILITIES tells. */
  readonly supportedAttributes: bigint;
  readonly supportedXfam: bigint;
  /** For each configurable leaf the entry that kvm_find_cpuid_entry2() finds for it. */
  readonly found: readonly (CpuidEntry | undefined)[];
  readonly has5LevelEpt: boolean;
}

interface Rule {
  readonly refuses: (facts: InitVmFacts) => boolean;
  /** What is wrong, where it refuses: clauses without a full stop. */
  readonly problems: (facts: InitVmFacts) => readonly string[];
}

export const initVmRules = {
  'init-vm.attributes': {
    refuses: ({ attributes, supportedAttributes }) => (attributes & ~supportedAttributes) !== 0n,
    problems: ({ attributes, supportedAttributes }) =>
      attributeNames(attributes & ~supportedAttributes).map(notSupported),
  },
  'init-vm.xfam': {
    refuses: ({ xfam, supportedXfam }) => (xfam & ~supportedXfam) !== 0n,
    problems: ({ xfam, supportedXfam }) => xfamNames(xfam & ~supportedXfam).map(notSupported),
  },
  'init-vm.address-width': {
    refuses: ({ entries }) => ![48, 52].includes(guestAddressBits(entries) ?? 0),
    problems: ({ entries }) => {
      const width = guestAddressBits(entries);
      return width === undefined
        ? [`CPUID leaf ${hex(ADDRESS_SIZES_LEAF)} is missing; KVM takes the address width from it`]
        : [`${width} address bits; a TD has 48 or 52`];
    },
  },
  'init-vm.no-5-level-ept': {
    refuses: ({ entries, has5LevelEpt }) => guestAddressBits(entries) === 52 && !has5LevelEpt,
    problems: () => ['52 address bits need 5-level EPT, which this host lacks'],
  },
  'init-vm.cpuid-forbidden': {
    refuses: (facts) => forbidden(facts).length > 0,
    problems: (facts) => forbidden(facts).map((name) => `${name} is set; KVM gives it to no TD`),
  },
  'init-vm.cpuid-unmatched': {
    // The kernel counts the configurable leaves that found an entry, and wants the number of entries.
    refuses: ({ found, entries }) =>
      found.reduce((count, entry) => count + (entry === undefined ? 0 : 1), 0) !== entries.length,
    problems: unmatched,
  },
} as const satisfies Partial<Record<CheckName, Rule>>;

export type InitVmRule = keyof typeof initVmRules;

export function isInitVmRule(check: string): check is InitVmRule {
  return Object.hasOwn(initVmRules, check);
}

function notSupported(name: string): string {
  return `\`${name}\` is not supported by this host`;
}

function forbidden({ found }: InitVmFacts): string[] {
  return [...new Set(found.flatMap((entry) => (entry ? forbiddenFeatures(entry) : [])))];
}

function unmatched({ entries, found }: InitVmFacts): string[] {
  const used = new Set(found);
  const unused = entries.filter((entry) => !used.has(entry)).map(leafName);
  const shared = entries.filter((entry) => found.filter((other) => other === entry).length > 1);
  return [
    ...unused.map((name) => `leaf ${name} is not configurable, or is there twice`),
    ...shared.map(
      (entry) => `leaf ${leafName(entry)} is taken for every subleaf: its index is not marked`,
    ),
  ];
}

/** `0x7.0`; without the subleaf where it has no meaning. */
export function leafName({ function: leaf, index, flags }: CpuidEntry): string {
  const isIndexed = index !== 0 || (flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX) !== 0;
  return isIndexed ? `${hex(leaf)}.${index}` : hex(leaf);
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
