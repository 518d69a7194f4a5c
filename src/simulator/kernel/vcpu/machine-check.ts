/** KVM_X86_GET_MCE_CAP_SUPPORTED and KVM_X86_SETUP_MCE. Order: arch/x86/kvm/x86.c, Linux 7.3. */
import { msr } from '../../../abi/kvm/msrs.ts';
import type { Answer, UserStruct } from '../../interface.ts';
import { mceCapSupported } from '../../profiles/msrs/features.ts';
import { done, refuse } from '../answer.ts';
import { KVM_MAX_MCE_BANKS } from '../limits.ts';
import type { Vcpu } from '../objects.ts';

/** Banks, and the count of extended registers. */
const counts = 0xffn | 0xff_0000n;
const MCG_CTL_P = 1n << 8n;
const allOnes = (1n << 64n) - 1n;

export function getMceCapSupported(user: UserStruct<bigint>): Answer {
  return user.write(mceCapSupported) ? done : refuse('EFAULT');
}

export function setupMce(vcpu: Vcpu, user: UserStruct<bigint>): Answer {
  const mcgCap = user.read();
  if (mcgCap === undefined) return refuse('EFAULT');
  const banks = Number(mcgCap & 0xffn);
  if (banks === 0 || banks > KVM_MAX_MCE_BANKS) return refuse('EINVAL');
  if ((mcgCap & ~(mceCapSupported | counts)) !== 0n) return refuse('EINVAL');
  vcpu.mcgCap = mcgCap;
  if ((mcgCap & MCG_CTL_P) !== 0n) vcpu.msrs.set(msr.IA32_MCG_CTL, allOnes);
  for (let bank = 0; bank < banks; bank++) {
    vcpu.msrs.set(msr.IA32_MC0_CTL + 4 * bank, allOnes);
  }
  return done;
}
