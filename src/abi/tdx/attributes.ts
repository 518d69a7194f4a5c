/**
 * TD_PARAMS.ATTRIBUTES: what a TD may be. Part of TDREPORT, so a guest's owner can verify it.
 * Source: Intel TDX module, include/tdx_api_defs.h and verify_td_attributes() in helpers.c.
 *
 * These are the rules of every release. Which bits one release offers (ATTRIBUTES_FIXED0), and
 * which of them KVM passes on (Linux 7.3: only SEPT_VE_DISABLE), is a fact of the host.
 */
import {
  bit,
  type Feature,
  type FeatureFinding,
  featureNames,
  neverAllowedFindings,
  reservedBitFindings,
  unionOf,
} from './feature-mask.ts';

export const attributes = [
  { name: 'debug', mask: bit(0), meaning: 'the host may read and change the TD' },
  {
    name: 'pmt-prof',
    mask: bit(6),
    meaning: 'Platform Monitoring Technology profiling (module 2.0.08)',
  },
  {
    name: 'icssd',
    mask: bit(16),
    meaning: 'instruction-count based single-step defence (module 1.5.06)',
  },
  { name: 'lass', mask: bit(27), meaning: 'linear address space separation (module 1.5.05)' },
  {
    name: 'sept-ve-disable',
    mask: bit(28),
    meaning: 'a missing private page exits to the host instead of raising #VE in the guest',
  },
  { name: 'migratable', mask: bit(29), meaning: 'the TD may be migrated by a migration TD' },
  { name: 'pks', mask: bit(30), meaning: 'protection keys for supervisor pages' },
  {
    name: 'tpa',
    mask: bit(62),
    meaning: 'the TD is a TDX Connect provisioning agent (module 2.0)',
  },
  { name: 'perfmon', mask: bit(63), meaning: 'the guest may use the performance counters' },
] as const satisfies readonly Feature[];

export type AttributeName = (typeof attributes)[number]['name'];

/** Bits with a name that no module accepts. */
export const neverAllowedAttributes = [
  { name: 'kl', mask: bit(31), meaning: 'Key Locker' },
] as const satisfies readonly Feature[];

export const attributeMask = Object.fromEntries(
  attributes.map((feature) => [feature.name, feature.mask]),
) as Readonly<Record<AttributeName, bigint>>;

/** `0x10000001` gives `['debug', 'sept-ve-disable']`; bits without a name come last, in hex. */
export function attributeNames(mask: bigint): string[] {
  return featureNames([...attributes, ...neverAllowedAttributes], mask);
}

/** The pairs that TDH.MNG.INIT refuses: a TD whose state the host can see must not move on. */
const exclusions = [
  ['migratable', 'debug'],
  ['migratable', 'perfmon'],
] as const satisfies readonly (readonly [AttributeName, AttributeName])[];

/** Why every module would refuse these ATTRIBUTES; empty when only the host decides. */
export function attributeFindings(mask: bigint): FeatureFinding[] {
  const known = unionOf([...attributes, ...neverAllowedAttributes]);
  return [
    ...reservedBitFindings(mask, known),
    ...neverAllowedFindings(mask, neverAllowedAttributes),
    ...exclusionFindings(mask),
  ];
}

function exclusionFindings(mask: bigint): FeatureFinding[] {
  return exclusions
    .filter(
      ([one, other]) => (mask & attributeMask[one]) !== 0n && (mask & attributeMask[other]) !== 0n,
    )
    .map(([one, other]) => ({
      name: one,
      mask: attributeMask[one] | attributeMask[other],
      rule: 'excludes',
      explanation: `must not be set together with ${other}`,
    }));
}
