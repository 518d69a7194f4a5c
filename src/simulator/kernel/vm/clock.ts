/** The clock ioctls are KVM_GET_CLOCK, KVM_SET_CLOCK and KVM_KVMCLOCK_CTRL. */
import { msr } from '../../../abi/kvm/msrs.ts';
import type { Answer, ClockStruct, UserStruct } from '../../interface.ts';
import { done, refuse } from '../answer.ts';
import type { Kernel } from '../kernel.ts';
import type { Vcpu, Vm } from '../objects.ts';

const clockFlags = { tscStable: 2, realtime: 4, hostTsc: 8, all: 14 } as const;
/** The simulated machines always begin at this time, in nanoseconds since 1970. */
const machineEpochNs = 1_800_000_000n * 1_000_000_000n;

export function getClock(kernel: Kernel, vm: Vm, user: UserStruct<ClockStruct>): Answer {
  const now = BigInt(Math.round(kernel.trace.clock.nowNs));
  const clock: ClockStruct = {
    clock: kvmclockNs(kernel, vm),
    flags: vm.useMasterClock ? clockFlags.all : 0,
    realtime: vm.useMasterClock ? machineEpochNs + now : 0n,
    hostTsc: vm.useMasterClock ? hostTsc(kernel) : 0n,
  };
  return user.write(clock) ? done : refuse('argument.unwritable');
}

/** The host's time stamp counter began with the machine. */
export function hostTsc({ trace, profile }: Kernel): bigint {
  const now = BigInt(Math.round(trace.clock.nowNs));
  return (now * BigInt(profile.platform.tscKhz)) / 1_000_000n;
}

/**
 * pvclock_update_vm_gtod_copy() lets the clock go by the TSC where those of all vCPUs are known to
 * match. KVM cannot set a TD's and so never compares them, but a vCPU that is alone matches itself.
 */
export function updateMasterClock(vm: Vm): void {
  vm.useMasterClock = vm.isTd ? vm.vcpus.length === 1 : vm.vcpus.length > 0;
}

/** kvm_set_guest_paused() cannot tell a guest that keeps no kvmclock, and no TD keeps one. */
export function kvmclockCtrl({ vm, msrs }: Vcpu): Answer {
  const systemTime = msrs.get(msr.KVM_SYSTEM_TIME_NEW) ?? msrs.get(msr.KVM_SYSTEM_TIME) ?? 0n;
  return vm.isTd || (systemTime & 1n) === 0n ? refuse('kvmclock-ctrl.no-kvmclock') : done;
}

export function setClock(kernel: Kernel, vm: Vm, user: UserStruct<ClockStruct>): Answer {
  const data = user.read();
  if (data === undefined) return refuse('argument.unreadable');
  if ((data.flags & ~clockFlags.all) !== 0) return refuse('set-clock.flags');
  updateMasterClock(vm);
  const now = BigInt(Math.round(kernel.trace.clock.nowNs));
  let { clock } = data;
  if ((data.flags & clockFlags.realtime) !== 0) {
    // The clock is advanced by the time that has gone by since; it is never set back.
    const since = machineEpochNs + now - data.realtime;
    if (since > 0n) clock += since;
  }
  vm.kvmclockOffsetNs = clock - now;
  return done;
}

/** get_kvmclock_ns(): what the guest's clock shows. */
export function kvmclockNs({ trace }: Kernel, vm: Vm): bigint {
  return BigInt(Math.round(trace.clock.nowNs)) + vm.kvmclockOffsetNs;
}
