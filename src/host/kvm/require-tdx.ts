/** Checks whether /dev/kvm can make TDs, and else names what user space can see missing. */
import { readFile } from 'node:fs/promises';
import type { System } from '../../../native/index.ts';
import { type CapabilityName, capabilities } from '../../abi/kvm/capabilities.ts';
import { vmTypes } from '../../abi/kvm/vm-types.ts';
import { answered } from '../native/answers.ts';
import { unsupported } from '../native/dev-kvm.ts';

const needed: readonly CapabilityName[] = [
  'KVM_CAP_SPLIT_IRQCHIP',
  'KVM_CAP_USER_MEMORY2',
  'KVM_CAP_GUEST_MEMFD',
];

export async function requireTdx(system: System): Promise<void> {
  const ask = (capability: CapabilityName) =>
    answered(system.kvmCheckExtension(capabilities[capability]), capability);
  const types = await ask('KVM_CAP_VM_TYPES');
  if ((types & (1 << vmTypes.KVM_X86_TDX_VM)) === 0) {
    throw unsupported('kvm', {
      message: `KVM on this machine offers no VM of type KVM_X86_TDX_VM (KVM_CAP_VM_TYPES is 0x${types.toString(16)}, bit 5 is not set)`,
      details: await missingItems(),
      hint: '`tdctl doctor` finds the cause; to rehearse meanwhile use `--host soft` (real KVM, simulated TDX module) or `--host sim`',
    });
  }
  for (const capability of needed) {
    if ((await ask(capability)) !== 0) continue;
    throw unsupported('kvm', {
      message: `KVM on this machine lacks ${capability}`,
      hint: 'use Linux 6.16 or later',
    });
  }
}

/** The items go from the CPU up; the first that is missing keeps all after it from working. */
async function missingItems(): Promise<string[]> {
  const cpu = await read('/proc/cpuinfo');
  const flags = /^flags\s*:(.*)$/m.exec(cpu)?.[1]?.split(' ') ?? [];
  const tdxParameter = await read('/sys/module/kvm_intel/parameters/tdx');
  const items: (string | false)[] = [
    !cpu.includes('GenuineIntel') && 'the CPU is not an Intel one',
    flags.includes('hypervisor') && 'this is a virtual machine, and TDX is not offered inside one',
    !flags.includes('tdx_host_platform') &&
      'the CPU flag tdx_host_platform is not set: no TDX in the CPU, or TDX, TME-MT or SEAM off in the BIOS',
    tdxParameter === ''
      ? 'kvm_intel has no parameter `tdx`: it is not loaded, or this kernel is older than 6.16 or built without CONFIG_KVM_INTEL_TDX'
      : !tdxParameter.startsWith('Y') &&
        'kvm_intel was loaded without tdx=1, or the TDX module did not initialise (`dmesg | grep -i tdx`)',
  ];
  return items.filter((item) => item !== false).map((item) => `missing: ${item}`);
}

function read(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
