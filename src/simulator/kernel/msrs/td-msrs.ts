/** KVM emulates these MSRs for a TD (tdx_has_emulated_msr() in tdx.c, Linux 7.3). */
import { msr } from '../../../abi/kvm/msrs.ts';
import { KVM_MAX_MCE_BANKS } from '../limits.ts';

type Range = readonly [first: number, last: number];

const one = (index: number): Range => [index, index];

const ranges: readonly Range[] = [
  one(msr.IA32_UCODE_REV),
  one(msr.IA32_ARCH_CAPABILITIES),
  one(msr.IA32_POWER_CTL),
  one(msr.IA32_CR_PAT),
  one(msr.MTRRcap),
  [msr.MTRRphysBase0, msr.MTRRfix4K_F8000],
  one(msr.MTRRdefType),
  one(msr.IA32_TSC_DEADLINE),
  one(msr.IA32_MISC_ENABLE),
  one(msr.PLATFORM_INFO),
  one(msr.MISC_FEATURES_ENABLES),
  one(msr.IA32_APICBASE),
  one(msr.EFER),
  one(msr.IA32_FEAT_CTL),
  // The range is MCG_CAP, MCG_STATUS and MCG_CTL.
  [msr.IA32_MCG_CAP, msr.IA32_MCG_CTL],
  one(msr.IA32_MCG_EXT_CTL),
  [msr.IA32_MC0_CTL, msr.IA32_MC0_CTL + 4 * KVM_MAX_MCE_BANKS - 1],
  [msr.IA32_MC0_CTL2, msr.IA32_MC0_CTL2 + KVM_MAX_MCE_BANKS - 1],
  one(msr.KVM_POLL_CONTROL),
  // KVM emulates the x2APIC registers that the CPU does not virtualize: ID, LVR, LDR, SPIV, ESR,
  // LVTCMCI, ICR, the other LVTs, TMICT, TMCCT and TDCR.
  ...[0x02, 0x03, 0x0d, 0x0f, 0x28, 0x2f, 0x30].map((reg) => one(msr.X2APIC + reg)),
  [msr.X2APIC + 0x32, msr.X2APIC + 0x39],
  one(msr.X2APIC + 0x3e),
];

export function isTdMsr(index: number): boolean {
  return ranges.some(([first, last]) => index >= first && index <= last);
}

export const tdReadOnly: ReadonlySet<number> = new Set([
  msr.IA32_APICBASE,
  msr.EFER,
  msr.IA32_FEAT_CTL,
]);
