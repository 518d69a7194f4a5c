/** Describes this machine as a simulated host: /dev/kvm and sysfs tell it, but for a TDX module. */
import { totalmem } from 'node:os';
import { type CapabilityName, capabilities } from '../../abi/kvm/capabilities.ts';
import { defaultHostProfile, type HostProfile, hostProfiles } from '../../simulator/index.ts';
import type { DevKvm } from '../native/dev-kvm.ts';
import { readMachineFacts } from '../native/machine-facts.ts';

/** The answers that the kernel's build or version or the CPU decides; the model has the rest. */
const recorded: readonly CapabilityName[] = [
  'KVM_CAP_NR_VCPUS',
  'KVM_CAP_X86_SMM',
  'KVM_CAP_MULTI_ADDRESS_SPACE',
  'KVM_CAP_DISABLE_QUIRKS2',
  'KVM_CAP_PRE_FAULT_MEMORY',
  'KVM_CAP_GUEST_MEMFD',
  'KVM_CAP_GUEST_MEMFD_FLAGS',
  'KVM_CAP_NESTED_STATE',
  'KVM_CAP_ONE_REG',
  'KVM_CAP_SGX_ATTRIBUTE',
  'KVM_CAP_X86_DISABLE_EXITS',
  'KVM_CAP_XEN_HVM',
  ...hypervCapabilities(),
];

function hypervCapabilities(): CapabilityName[] {
  const names = Object.keys(capabilities) as CapabilityName[];
  return names.filter((name) => name.includes('HYPERV'));
}

export async function readThisHostProfile({ system }: DevKvm): Promise<HostProfile> {
  const value = (capability: CapabilityName) => system.kvmCheckExtension(capabilities[capability]);
  const has = async (capability: CapabilityName) => (await value(capability)) !== 0;
  const { presentCpus, onlineCpus, packages = 1 } = await readMachineFacts();
  const model = hostProfiles[defaultHostProfile];
  return {
    name: 'this-host',
    description: 'this machine, with the TDX module and key slots of the default profile',
    source: 'read from /dev/kvm and sysfs; key ID split, module and CPUID: the default profile',
    platform: {
      ...model.platform,
      packages,
      coresPerPackage: Math.max(1, Math.floor(presentCpus / packages)),
      threadsPerCore: 1,
      offlineCpus: presentCpus - onlineCpus,
      memoryBytes: BigInt(totalmem()),
      features: {
        tscScaling: await has('KVM_CAP_TSC_CONTROL'),
        busLockDetection: await has('KVM_CAP_X86_BUS_LOCK_EXIT'),
        notifyVmExit: await has('KVM_CAP_X86_NOTIFY_VMEXIT'),
        pmu: await has('KVM_CAP_PMU_CAPABILITY'),
      },
    },
    module: model.module,
    kvmMaxVcpus: await value('KVM_CAP_MAX_VCPUS'),
    recordedCapabilities: Object.fromEntries(
      await Promise.all(recorded.map(async (name) => [name, await value(name)])),
    ),
  };
}
