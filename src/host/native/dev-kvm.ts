/** Opens /dev/kvm through the addon, or says what stands in the way. */

import { type Addon, addonRemedy, loadAddon, type System } from '../../../native/index.ts';
import { errnoOf } from '../../errors/errno.ts';
import { TdctlError } from '../../errors/index.ts';
import { answered } from './answers.ts';

export interface DevKvm {
  readonly addon: Addon;
  readonly system: System;
}

const KVM_API_VERSION = 12;

/** The errors that open("/dev/kvm") can give, and what to do about each. */
const openFailures: Readonly<Record<string, { readonly message: string; readonly hint: string }>> =
  {
    ENOENT: {
      message:
        '/dev/kvm does not exist: KVM is not loaded, or this is a container without the device',
      hint: 'load kvm_intel and check that virtualisation is on in the BIOS, or pass the device into the container',
    },
    EACCES: {
      message: 'this user may not open /dev/kvm',
      hint: 'add the user to the group that owns it (`ls -l /dev/kvm`, usually `kvm`) and log in again',
    },
    EPERM: {
      message:
        'a device policy (cgroup, container or security module) keeps this process from /dev/kvm',
      hint: 'allow the device 10:232 for this container or service',
    },
    ENODEV: {
      message: '/dev/kvm exists, but no KVM module answers behind it',
      hint: 'load kvm_intel; `dmesg | grep -i kvm` says why it would not load',
    },
  };

/** @throws TdctlError TDCTL_E_HOST_UNSUPPORTED, exit code 8; KvmError where the kernel refuses its version. */
export async function openDevKvm(hostName: string): Promise<DevKvm> {
  const native = loadAddon();
  if (!native.available) {
    throw unsupported(hostName, {
      message: 'the native addon cannot be loaded, and only it can speak to /dev/kvm',
      details: native.tried.map(({ path, reason }) => `${path}: ${reason}`),
      hint: `${addonRemedy()}; or use \`--host sim\``,
    });
  }
  const system = await openSystem(hostName, native.addon);
  try {
    await checkVersion(hostName, system);
    return { addon: native.addon, system };
  } catch (error) {
    await system.close();
    throw error;
  }
}

async function checkVersion(hostName: string, system: System): Promise<void> {
  const version = await answered(system.kvmGetApiVersion());
  if (version === KVM_API_VERSION) return;
  throw unsupported(hostName, {
    message: `/dev/kvm speaks API version ${version}, not ${KVM_API_VERSION}`,
    hint: 'use a kernel of the last fifteen years',
  });
}

async function openSystem(hostName: string, addon: Addon): Promise<System> {
  try {
    return await addon.System.open();
  } catch (error) {
    const code = errnoOf(error) ?? 'unknown';
    const failure = openFailures[code] ?? {
      message: `/dev/kvm could not be opened (${code})`,
      hint: 'use `--host sim`, which needs no /dev/kvm',
    };
    throw unsupported(hostName, { ...failure, cause: error });
  }
}

export function unsupported(
  hostName: string,
  options: {
    readonly message: string;
    readonly hint: string;
    readonly details?: readonly string[];
    readonly cause?: unknown;
  },
): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_HOST_UNSUPPORTED',
    op: `open the host ${hostName}`,
    ...options,
  });
}
