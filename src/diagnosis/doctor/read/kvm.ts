/** Asks /dev/kvm itself, rather than judge by CPU flags. A captured tree has `kvm.json` instead. */

import { accessSync, closeSync, constants, openSync, statSync } from 'node:fs';
import type { System } from '../../../../native/index.ts';
import { loadAddon } from '../../../../native/index.ts';
import { type CapabilityName, capabilities } from '../../../abi/kvm/capabilities.ts';
import { vmTypes } from '../../../abi/kvm/vm-types.ts';
import { errnoOf } from '../../../errors/errno.ts';
import type { KvmAnswers, KvmFacts, TdxVmAnswers } from '../facts.ts';
import type { HostFiles } from '../host-files.ts';
import { knownValue, type Reading, read } from '../reading.ts';

const device = '/dev/kvm';

export async function readKvm(files: HostFiles): Promise<KvmFacts> {
  if (!files.isLive) return (await import('./kvm-copy.ts')).readKvmCopy(files);
  const open = tryOpen();
  return {
    device: describeDevice(files),
    open,
    answers: open.state === 'read' && open.value === 'ok' ? await ask() : notAsked(device),
  };
}

function notAsked(from: string): Reading<never> {
  return { state: 'not-asked', from };
}

function tryOpen(): Reading<string> {
  try {
    closeSync(openSync(device, constants.O_RDWR));
    return read(device, 'ok');
  } catch (error) {
    return read(device, errnoOf(error) ?? 'unknown');
  }
}

/** Describes the device as `ls -l` does: `crw-rw----`, owner and group by name if /etc has them. */
function describeDevice(files: HostFiles): KvmFacts['device'] {
  try {
    accessSync(device);
    const { mode, uid, gid } = statSync(device);
    const letters = [...'rwxrwxrwx'].map((letter, bit) => (mode & (0o400 >> bit) ? letter : '-'));
    return read(device, {
      mode: `c${letters.join('')}`,
      owner: nameOf(files, '/etc/passwd', uid),
      group: nameOf(files, '/etc/group', gid),
    });
  } catch {
    return { state: 'absent', from: device };
  }
}

function nameOf(files: HostFiles, path: string, id: number): string {
  const entry = new RegExp(`^([^:\\n]+):[^:\\n]*:${id}:`, 'm');
  return entry.exec(knownValue(files.text(path)) ?? '')?.[1] ?? String(id);
}

async function ask(): Promise<Reading<KvmAnswers>> {
  const native = loadAddon();
  if (!native.available) return notAsked('KVM (the native addon is not built)');
  try {
    const system = await native.addon.System.open();
    try {
      return read(device, await answersOf(system));
    } finally {
      await system.close();
    }
  } catch {
    return { state: 'unreadable', from: device };
  }
}

async function answersOf(system: System): Promise<KvmAnswers> {
  const values: Record<string, number> = {};
  for (const name of Object.keys(capabilities) as CapabilityName[]) {
    values[name] = await system.kvmCheckExtension(capabilities[name]);
  }
  const offersTdx = ((values.KVM_CAP_VM_TYPES ?? 0) & (1 << vmTypes.KVM_X86_TDX_VM)) !== 0;
  return {
    apiVersion: await system.kvmGetApiVersion(),
    capabilities: values,
    supportedCpuid: (await system.kvmGetSupportedCpuid()).filter(
      ({ function: leaf }) => leaf !== 3,
    ),
    tdxVm: offersTdx ? await askTdxVm(system) : null,
  };
}

/** On released kernels KVM_CREATE_VM takes no key slot and makes no SEAMCALL (tdx_vm_init()). */
async function askTdxVm(system: System): Promise<TdxVmAnswers | null> {
  const vm = await system.kvmCreateVm(vmTypes.KVM_X86_TDX_VM).catch(() => undefined);
  if (vm === undefined) return null;
  try {
    const { supportedAttributes, supportedXfam, configurableCpuid } = await vm.tdxCapabilities();
    return {
      maxVcpus: await vm.kvmCheckExtension(capabilities.KVM_CAP_MAX_VCPUS),
      supportedAttributes: `0x${supportedAttributes.toString(16)}`,
      supportedXfam: `0x${supportedXfam.toString(16)}`,
      configurableCpuid,
    };
  } catch {
    return null;
  } finally {
    await vm.close();
  }
}
