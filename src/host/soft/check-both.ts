import { type CapabilityName, capabilities } from '../../abi/kvm/capabilities.ts';
import { answered } from '../native/answers.ts';

interface Sides {
  readonly real: { kvmCheckExtension(capability: number): Promise<number> };
  readonly simulated: { checkExtension(capability: CapabilityName): Promise<number> };
}

const limits: ReadonlySet<CapabilityName> = new Set(['KVM_CAP_MAX_VCPUS', 'KVM_CAP_MAX_VCPU_ID']);

/**
 * Answers KVM_CHECK_EXTENSION with two kernels behind it. A vCPU limit is the smaller of both,
 * because each vCPU is made on both; for all else the simulated TDX host answers.
 */
export async function checkBoth(
  capability: CapabilityName,
  { real, simulated }: Sides,
): Promise<number> {
  const ofTd = await simulated.checkExtension(capability);
  if (!limits.has(capability)) return ofTd;
  const asked = real.kvmCheckExtension(capabilities[capability]);
  return Math.min(ofTd, await answered(asked, capability));
}
