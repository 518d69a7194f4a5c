import type { KernelAbi } from './record.ts';
import { seriesV19 } from './series-v19.ts';

export const breakoutV1: KernelAbi = {
  ...seriesV19,
  name: 'breakout-v1',
  description: "as v19, but the capability is checked against the module's own limit",
  source: '"uAPI breakout v1" 12/25, 12 August 2024',
  unconfirmed: seriesV19.unconfirmed.slice(1),
  maxVcpus: {
    ...seriesV19.maxVcpus,
    capabilityTakes: ['KVM_MAX_VCPUS', 'module max_vcpus_per_td'],
    checkExtensionOfTd: ['kvm->max_vcpus'],
  },
};
