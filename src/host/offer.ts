import type { CpuidEntry } from '../abi/kvm/structs.ts';
import type { HostFacts, KeySlots } from './facts.ts';
import type { Host, TdxCapabilities } from './port.ts';

/** What a host gives a TD, as far as it tells before one is made. */
export interface HostOffer {
  readonly facts: HostFacts;
  readonly capabilities: TdxCapabilities;
  readonly supportedCpuid: readonly CpuidEntry[];
  /** KVM_CAP_MAX_VCPUS on a VM fd of type TDX: only there is it the limit of a TD. */
  readonly maxVcpus: number;
}

/** Makes a VM for a moment, because only its fd tells. It takes no key slot. */
export async function readHostOffer(host: Host): Promise<HostOffer> {
  const vm = await host.createVm({ type: 'KVM_X86_TDX_VM' });
  try {
    return {
      facts: await host.facts(),
      capabilities: await vm.tdxCapabilities(),
      supportedCpuid: await host.getSupportedCpuid(),
      maxVcpus: await vm.checkExtension('KVM_CAP_MAX_VCPUS'),
    };
  } finally {
    await vm.close();
  }
}

/** undefined where the host cannot tell. */
export function freeKeySlots(slots: KeySlots | undefined): number | undefined {
  return slots && slots.total - slots.used;
}
