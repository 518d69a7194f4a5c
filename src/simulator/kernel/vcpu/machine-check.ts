/** KVM_X86_GET_MCE_CAP_SUPPORTED and KVM_X86_SETUP_MCE are modelled on arch/x86/kvm/x86.c. */
import { msr } from '../../../abi/kvm/msrs.ts';
import type { Answer, UserBytes, UserStruct } from '../../interface.ts';
import { mceCapSupported } from '../../profiles/msrs/features.ts';
import { done } from '../answer.ts';
import { CopiedIn, firstRefusal, type Steps } from '../checks.ts';
import type { Kernel } from '../kernel.ts';
import { KVM_MAX_MCE_BANKS } from '../limits.ts';
import type { Vcpu } from '../objects.ts';
import { copiedBytes } from './copied-bytes.ts';

/** The bits hold the number of banks and the number of extended registers. */
const counts = 0xffn | 0xff_0000n;
const MCG_CTL_P = 1n << 8n;
const allOnes = (1n << 64n) - 1n;

const supportedSteps: Steps<UserStruct<bigint>> = {
  'argument.unwritable': (user) => !user.write(mceCapSupported),
};

export function getMceCapSupported(kernel: Kernel, user: UserStruct<bigint>): Answer {
  const asked = { steps: supportedSteps, call: user };
  return firstRefusal(kernel, 'KVM_X86_GET_MCE_CAP_SUPPORTED', asked) ?? done;
}

type McgCap = CopiedIn<bigint>;

const setupSteps: Steps<McgCap> = {
  'argument.unreadable': (mcgCap) => mcgCap.fails(),
  'setup-mce.banks': (mcgCap) => banksOf(mcgCap) === 0 || banksOf(mcgCap) > KVM_MAX_MCE_BANKS,
  'setup-mce.unsupported': ({ value }) => (value & ~(mceCapSupported | counts)) !== 0n,
};

export function setupMce(kernel: Kernel, vcpu: Vcpu, user: UserStruct<bigint>): Answer {
  const mcgCap = new CopiedIn(() => user.read());
  const refused = firstRefusal(kernel, 'KVM_X86_SETUP_MCE', { steps: setupSteps, call: mcgCap });
  if (refused !== undefined) return refused;
  vcpu.mcgCap = mcgCap.value;
  if ((mcgCap.value & MCG_CTL_P) !== 0n) vcpu.msrs.set(msr.IA32_MCG_CTL, allOnes);
  for (let bank = 0; bank < banksOf(mcgCap); bank++) {
    vcpu.msrs.set(msr.IA32_MC0_CTL + 4 * bank, allOnes);
  }
  return done;
}

/** `struct kvm_x86_mce`: status, addr, misc and mcg_status, then the bank behind the number of banks in a word. */
const mceBytes = 64;
const MCE_BANK = 32;
const MCI_STATUS_VAL = 1n << 63n;
const MCI_STATUS_OVER = 1n << 62n;
const MCI_STATUS_UC = 1n << 61n;

interface SetMceCall {
  readonly vcpu: Vcpu;
  readonly mce: CopiedIn<DataView>;
}

const setMceSteps: Steps<SetMceCall> = {
  'argument.unreadable': ({ mce }) => mce.fails(),
  'set-mce.bank': ({ vcpu, mce }) => mce.value.getUint8(MCE_BANK) >= Number(vcpu.mcgCap & 0xffn),
  'set-mce.status': ({ mce }) => (mce.value.getBigUint64(0, true) & MCI_STATUS_VAL) === 0n,
};

/**
 * KVM_X86_SET_MCE: an error that is corrected is noted in its bank, unless an uncorrected one stands there.
 * What an uncorrected one does to a guest is not modelled.
 */
export function setMce(kernel: Kernel, vcpu: Vcpu, user: UserBytes): Answer {
  const call = { vcpu, mce: copiedBytes(user, mceBytes) };
  const refused = firstRefusal(kernel, 'KVM_X86_SET_MCE', { steps: setMceSteps, call });
  if (refused !== undefined) return refused;
  const mce = call.mce.value;
  const bank = msr.IA32_MC0_CTL + 4 * mce.getUint8(MCE_BANK);
  const status = mce.getBigUint64(0, true);
  if ((status & MCI_STATUS_UC) !== 0n) return done;
  const before = vcpu.msrs.get(bank + 1) ?? 0n;
  if ((before & MCI_STATUS_VAL) !== 0n && (before & MCI_STATUS_UC) !== 0n) {
    vcpu.msrs.set(bank + 1, before | MCI_STATUS_OVER);
    return done;
  }
  vcpu.msrs.set(bank + 1, status | ((before & MCI_STATUS_VAL) === 0n ? 0n : MCI_STATUS_OVER));
  vcpu.msrs.set(bank + 2, mce.getBigUint64(8, true));
  vcpu.msrs.set(bank + 3, mce.getBigUint64(16, true));
  return done;
}

function banksOf({ value }: McgCap): number {
  return Number(value & 0xffn);
}
