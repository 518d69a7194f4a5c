/** What several documents say of a host, in one shape each (output/contract/shapes.ts). */
import { bindingLimit } from '../../../machines/td-lifecycle/limits.ts';
import { type HostFacts, type KeySlots, vcpuLimits } from '../../host/facts.ts';
import type { HostIdentity } from '../../host/identity.ts';

export function kernelData({ kernel }: Pick<HostFacts, 'kernel'>) {
  return { id: kernel.rules };
}

export function moduleData({ module }: Pick<HostFacts, 'module'>) {
  return module ? { version: module.release } : null;
}

export function limitsData(offer: Parameters<typeof vcpuLimits>[0]) {
  const limits = vcpuLimits(offer);
  const { name, value } = bindingLimit(limits);
  return { ...limits, effective: value, binding: name, maxVcpuIds: offer.facts.kvm.maxVcpuIds };
}

export function keySlotsData(slots: KeySlots | undefined) {
  if (slots === undefined) return null;
  const { total, used } = slots;
  return { total, used, free: total - used };
}

/** Times that are not of the host that was asked come from its simulated twin. */
export function twinIdentity(name: string): HostIdentity {
  return { name, simulated: true };
}
