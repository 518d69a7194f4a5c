/** KVM_CHECK_EXTENSION answers 0 for an unknown capability. */
import { capabilityNames } from '../../../abi/kvm/capabilities.ts';
import type { Kernel } from '../kernel.ts';
import type { Vm } from '../objects.ts';
import { capabilityValues } from './capability-values.ts';

export function checkExtension(kernel: Kernel, capability: number, vm: Vm | undefined): number {
  const name = capabilityNames.get(capability);
  if (name === undefined) return 0;
  const recorded = kernel.profile.recordedCapabilities?.[name];
  if (recorded !== undefined && !vm?.isTd) return recorded;
  const row = capabilityValues[name];
  const value = typeof row === 'object' ? row[vm === undefined ? 0 : vm.isTd ? 2 : 1] : row;
  return typeof value === 'function' ? value(kernel, vm) : value;
}
