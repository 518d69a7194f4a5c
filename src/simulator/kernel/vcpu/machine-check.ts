/** KVM_X86_GET_MCE_CAP_SUPPORTED and KVM_X86_SETUP_MCE are modelled on arch/x86/kvm/x86.c. */
import { msr } from '../../../abi/kvm/msrs.ts';
import type { Answer, UserStruct } from '../../interface.ts';
import { mceCapSupported } from '../../profiles/msrs/features.ts';
import { done } from '../answer.ts';
import { CopiedIn, firstRefusal, type Steps } from '../checks.ts';
import type { Kernel } from '../kernel.ts';
import { KVM_MAX_MCE_BANKS } from '../limits.ts';
import type { Vcpu } from '../objects.ts';

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

function banksOf({ value }: McgCap): number {
  return Number(value & 0xffn);
}
