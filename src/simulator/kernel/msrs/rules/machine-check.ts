/** Machine checks: get_msr_mce() and set_msr_mce() in arch/x86/kvm/msrs.c. */
import { msr } from '../../../../abi/kvm/msrs.ts';
import { KVM_MAX_MCE_BANKS } from '../../limits.ts';
import type { Vcpu } from '../../objects.ts';
import { ones } from '../bits.ts';
import { onlyBits, type RangeRule } from '../rule.ts';

const mcgCap = { banks: 0xffn, ctl: 1n << 8n, cmci: 1n << 10n } as const;
/** CMCI_EN and the threshold of corrected errors. */
const ctl2Bits = (1n << 30n) | ones(14);
/** Two bits that guests with an old Linux or UnixWare leave clear in a control register. */
const clearedByOldGuests = (1n << 10n) | 1n;

const banksOf = (vcpu: Vcpu) => Number(vcpu.mcgCap & mcgCap.banks);

export const machineCheckRules: readonly RangeRule[] = [
  {
    first: msr.IA32_MCG_CAP,
    read: ({ vcpu }) => vcpu.mcgCap,
    presence: (_, to) => (to === 'read' ? 'there' : 'unsupported'),
  },
  { first: msr.IA32_MCG_STATUS },
  {
    first: msr.IA32_MCG_CTL,
    accepts: (data, { vcpu }) =>
      data === 0n || ((vcpu.mcgCap & mcgCap.ctl) !== 0n && data === ones(63)),
  },
  { first: msr.IA32_MCG_EXT_CTL, accepts: onlyBits(1n) },
  {
    first: msr.IA32_MC0_CTL2,
    last: msr.IA32_MC0_CTL2 + KVM_MAX_MCE_BANKS - 1,
    presence: ({ vcpu, index }) =>
      index < msr.IA32_MC0_CTL2 + banksOf(vcpu) ? 'there' : 'refused',
    accepts: (data, { vcpu }) =>
      data === 0n || ((vcpu.mcgCap & mcgCap.cmci) !== 0n && (data & ~ctl2Bits) === 0n),
  },
  {
    first: msr.IA32_MC0_CTL,
    last: msr.IA32_MC0_CTL + 4 * KVM_MAX_MCE_BANKS - 1,
    presence: ({ vcpu, index }) =>
      index < msr.IA32_MC0_CTL + 4 * banksOf(vcpu) ? 'there' : 'refused',
    // A control register is all 0 or all 1.
    accepts: (data, { index }) =>
      index % 4 !== 0 || data === 0n || (data | clearedByOldGuests) === ones(63),
  },
];
