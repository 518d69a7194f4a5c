/** Extended state that is switched on or held in MSRs: XFD, XSS, CET. */

import { msr } from '../../../../abi/kvm/msrs.ts';
import { cpuidHas } from '../../cpuid/cpu-features.ts';
import { guestHas, guestXcr0, guestXss } from '../../vcpu/guest-cpu-caps.ts';
import { ones } from '../bits.ts';
import { isCanonicalForMsr } from '../canonical.ts';
import type { MsrAccess, PresenceRule, RangeRule } from '../rule.ts';

/** XFEATURE_MASK_USER_DYNAMIC: the tile data of AMX. */
const dynamicComponents = 1n << 18n;

const isXfd = (data: bigint, { kernel, vcpu }: MsrAccess) =>
  (data & ~(guestXcr0(kernel, vcpu) & dynamicComponents)) === 0n;

const cet = {
  reserved: ones(9, 6),
  shadowStack: 0b11n,
  tracking: ones(5, 2) | ones(63, 10),
  bitmapBase: ones(63, 12),
  suppress: 1n << 10n,
  waitEndbranch: 1n << 11n,
} as const;

const hasShadowStack = ({ kernel, vcpu }: MsrAccess) => guestHas(kernel, vcpu, 'SHSTK');
const hasTracking = ({ kernel, vcpu }: MsrAccess) => guestHas(kernel, vcpu, 'IBT');

/** kvm_is_valid_u_s_cet() */
function isValidCet(data: bigint, access: MsrAccess): boolean {
  return (
    (data & cet.reserved) === 0n &&
    (hasShadowStack(access) || (data & cet.shadowStack) === 0n) &&
    (hasTracking(access) || (data & cet.tracking) === 0n) &&
    (data >> 12n) % 4n === 0n &&
    ((data & cet.suppress) === 0n || (data & cet.waitEndbranch) === 0n)
  );
}

const cetRule = (first: number): RangeRule => ({
  first,
  presence: (access) => (hasShadowStack(access) || hasTracking(access) ? 'there' : 'unsupported'),
  accepts: isValidCet,
});

const needsShadowStack: PresenceRule = (access) =>
  hasShadowStack(access) ? 'there' : 'unsupported';

export const xstateRules: readonly RangeRule[] = [
  { first: msr.IA32_XFD, accepts: isXfd },
  { first: msr.IA32_XFD_ERR, accepts: isXfd },
  {
    first: msr.IA32_XSS,
    presence: ({ vcpu: { cpuid } }, to) =>
      to === 'read' || cpuidHas(cpuid, 'XSAVES') ? 'there' : 'unsupported',
    accepts: (data, { kernel, vcpu }) => (data & ~guestXss(kernel, vcpu)) === 0n,
  },
  cetRule(msr.IA32_U_CET),
  cetRule(msr.IA32_S_CET),
  {
    first: msr.IA32_PL0_SSP,
    last: msr.IA32_PL3_SSP,
    presence: needsShadowStack,
    accepts: (data, access) => isCanonicalForMsr(data, access) && data % 4n === 0n,
  },
  {
    first: msr.IA32_INT_SSP_TAB,
    // A guest without 64-bit mode can read the register, and not write it.
    presence: (access, to) =>
      to === 'write' && !guestHas(access.kernel, access.vcpu, 'LM')
        ? 'unsupported'
        : needsShadowStack(access, to),
    accepts: isCanonicalForMsr,
  },
];
