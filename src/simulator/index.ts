/**
 * A simulated TDX host: the kernel's side of KVM and TDX, and the TDX module under it, as a
 * synchronous library. interface.ts says how a caller speaks to it; docs/simulator.md what it
 * models, and how to add a host, a kernel or a module release as data.
 */

import { defaultKernelAbi, type KernelAbiName, kernelAbis } from '../abi/kvm/kernels/index.ts';
import type { KernelAbi } from '../abi/kvm/kernels/record.ts';
import type { HostClock } from './clock.ts';
import type { FaultInjector } from './faults.ts';
import type { GuestScript } from './interface.ts';
import type { HostProfile } from './platform.ts';
import { type HostProfileName, hostProfiles } from './profiles/hosts/index.ts';
import { SimulatedMachine } from './simulated-machine.ts';

export interface CreateSimulatedHostOptions {
  readonly profile: HostProfileName | HostProfile;
  readonly kernelAbi?: KernelAbiName | KernelAbi;
  readonly faults?: FaultInjector;
  readonly guest?: GuestScript;
  readonly signalEventfd?: (id: number) => void;
  readonly hostClock?: HostClock;
}

export function createSimulatedHost(options: CreateSimulatedHostOptions): SimulatedMachine {
  const { profile, kernelAbi = defaultKernelAbi, ...others } = options;
  return new SimulatedMachine({
    profile: typeof profile === 'string' ? hostProfiles[profile] : profile,
    kernelAbi: typeof kernelAbi === 'string' ? kernelAbis[kernelAbi] : kernelAbi,
    ...others,
  });
}

export { defaultKernelAbi, type KernelAbiName, kernelAbis } from '../abi/kvm/kernels/index.ts';
export type { KernelAbi } from '../abi/kvm/kernels/record.ts';
export { type HostClock, runningHostClock } from './clock.ts';
export {
  type FaultRecord,
  injectorOf,
  type MachineEvent,
  type RecordedFaults,
} from './fault-records.ts';
export { type FaultTextProblem, formatFault, parseFault } from './fault-text.ts';
export {
  type DisturbedMachine,
  type FaultInjector,
  type FaultPoint,
  faultPoints,
} from './faults.ts';
export * from './interface.ts';
export type { BringUp } from './kernel/bring-up.ts';
export { cpuidOfRecorded } from './kernel/cpuid/from-recorded.ts';
export { initVmFacts } from './kernel/tdx/td-params.ts';
export type { HostProfile, Platform } from './platform.ts';
export { keyIdRange, onlineCpus, presentCpus } from './platform.ts';
export { possibleFaults } from './possible-faults.ts';
export { nearestCpu } from './profiles/cpuid/known.ts';
export { cpuidOfHost, type HostCpu } from './profiles/cpuid/of-host.ts';
export {
  defaultHostProfile,
  type HostProfileName,
  hostProfiles,
} from './profiles/hosts/index.ts';
export { RangeMap } from './range-map.ts';
export { RangeSet } from './range-set.ts';
export { SimulatedMachine } from './simulated-machine.ts';
export type {
  ClockSnapshot,
  KeySlotCounts,
  KeySlotState,
  Snapshot,
  TdSnapshot,
  VmSnapshot,
} from './snapshot.ts';
export type {
  IoctlEvent,
  ReleaseEvent,
  SeamcallEvent,
  TraceEvent,
  TraceListener,
} from './trace.ts';
export type { Copies, Copy } from './trace-copies.ts';
export { CapabilitiesValue, CpuidValue, InitVmValue, StructValue } from './user-values.ts';
