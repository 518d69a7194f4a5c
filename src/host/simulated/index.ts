/** The host `sim` is a simulated machine behind the port. */
import { TdctlError } from '../../errors/index.ts';
import {
  createSimulatedHost,
  defaultHostProfile,
  defaultKernelAbi,
  type FaultInjector,
  type GuestScript,
  type HostClock,
  type HostProfile,
  hostProfiles,
  type KernelAbi,
  kernelAbis,
  type SimulatedMachine,
} from '../../simulator/index.ts';
import { AddressSpace } from './address-space.ts';
import { SimulatedHost } from './host.ts';
import { oneOf } from './named-profile.ts';

export interface SimulatedMachineChoice {
  /** The name of a built-in profile, or a machine described in full. */
  readonly profile?: string | HostProfile | undefined;
  readonly kernelAbi?: string | KernelAbi | undefined;
  readonly faults?: FaultInjector | undefined;
  readonly guest?: GuestScript | undefined;
  /** The clocks that programs and guests read; without it, those of simulated time. */
  readonly hostClock?: HostClock | undefined;
}

export interface SimulatedHostOptions extends SimulatedMachineChoice {
  /** The caller's memory. The host makes its own where it is left out; `soft` gives real memory. */
  readonly addressSpace?: AddressSpace | undefined;
}

/**
 * @throws TdctlError TDCTL_E_USAGE for a name that is not known, TDCTL_E_HOST_UNSUPPORTED where the
 * simulated machine has no /dev/kvm because KVM did not load on it.
 */
export function openSimulatedHost(options: SimulatedHostOptions = {}): SimulatedHost {
  const { addressSpace = new AddressSpace() } = options;
  return new SimulatedHost(openSimulatedMachine(options), addressSpace);
}

/** Opens the machine alone, for callers that speak to its kernel. It throws as the host does. */
export function openSimulatedMachine(options: SimulatedMachineChoice): SimulatedMachine {
  const { profile = defaultHostProfile, kernelAbi = defaultKernelAbi } = options;
  const { faults, guest, hostClock } = options;
  const machine = createSimulatedHost({
    profile: typeof profile === 'string' ? builtInProfile(profile) : profile,
    kernelAbi: typeof kernelAbi === 'string' ? namedKernel(kernelAbi) : kernelAbi,
    ...(faults === undefined ? {} : { faults }),
    ...(guest === undefined ? {} : { guest }),
    ...(hostClock === undefined ? {} : { hostClock }),
  });
  if (machine.bringUp.outcome === 'no-kvm') {
    throw new TdctlError({
      code: 'TDCTL_E_HOST_UNSUPPORTED',
      op: 'open the simulated host',
      message: `KVM did not load on \`${machine.profile.name}\`, so it has no /dev/kvm`,
      details: [`the kernel says: ${machine.bringUp.reason}`],
      hint: 'choose a profile whose TDX module takes as many vCPUs as the host has CPUs',
    });
  }
  return machine;
}

function builtInProfile(name: string): HostProfile {
  const names = Object.keys(hostProfiles);
  return oneOf({ name, known: hostProfiles, names, kind: 'simulated host', option: '--host' });
}

/** @throws TdctlError TDCTL_E_USAGE that lists all names. */
export function namedKernel(name: string): KernelAbi {
  const names = Object.keys(kernelAbis);
  return oneOf({ name, known: kernelAbis, names, kind: 'kernel ABI', option: '--kernel' });
}

export { AddressSpace, type ReadableMemory, SimulatedMemory } from './address-space.ts';
export { SimulatedGuest } from './guest.ts';
export { SimulatedGuestMemory } from './guest-memory.ts';
export { type PassedObject, type ProcessIdentity, SimulatedHost } from './host.ts';
export { type HostTree, hostTree, keySlotsPath, keySlotsText } from './host-tree.ts';
export { namedProfile } from './named-profile.ts';
export { type ProfileName, profileNames } from './profile-names.ts';
export { SimulatedVcpu } from './vcpu.ts';
export { SimulatedVm } from './vm.ts';
