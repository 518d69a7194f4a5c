import type { CpuidEntry } from '../abi/kvm/structs.ts';
import type { HostFacts, HostMemoryFacts, KeySlots } from './facts.ts';
import type { Host, TdxCapabilities } from './port.ts';

/** What a host gives a TD, as far as the host tells before one is made. */
export interface HostOffer {
  readonly facts: HostFacts;
  readonly capabilities: TdxCapabilities;
  readonly supportedCpuid: readonly CpuidEntry[];
  /** KVM_CAP_MAX_VCPUS on a VM fd of type TDX, because only there is it the limit of a TD. */
  readonly maxVcpus: number;
}

/** What is known of a host that may take a TD. Nothing undefined is held against it. */
export interface KnownHost {
  /** The name is unique among the hosts of one question. */
  readonly name: string;
  /** Whether it is a profile, and not what was read of a machine. */
  readonly simulated: boolean;
  /** The offer is undefined where KVM offers no TDs (see `obstacles`), or nobody asked it. */
  readonly offer: HostOffer | undefined;
  /** The reasons why KVM offers no TDs; the first is the cause. */
  readonly obstacles: readonly string[];
  /** The things that could not be judged, because the file does not say them. */
  readonly unknown: readonly string[];
  readonly presentCpus: number | undefined;
  readonly keySlots: KeySlots | undefined;
  /** How many more TDs the misc cgroup allows. */
  readonly cgroupRoom: number | undefined;
  readonly memory: HostMemoryFacts | undefined;
  /** KVM can give a guest another TSC frequency than the host's. */
  readonly tscScaling: boolean | undefined;
}

/** Makes a VM for a moment, because only its fd tells the limit of a TD. That takes no key slot. */
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

/** The count is undefined where the host cannot tell. */
export function freeKeySlots(slots: KeySlots | undefined): number | undefined {
  return slots && slots.total - slots.used;
}
