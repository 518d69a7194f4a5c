/** The clock ioctls are KVM_GET_CLOCK, KVM_SET_CLOCK and KVM_KVMCLOCK_CTRL. */
import { msr } from '../../../abi/kvm/msrs.ts';
import type { Answer, ClockStruct, UserStruct } from '../../interface.ts';
import { done, refuse } from '../answer.ts';
import type { Kernel } from '../kernel.ts';
import type { Vcpu, Vm } from '../objects.ts';
import { hostTsc } from '../vcpu/guest-tsc.ts';

const clockFlags = { tscStable: 2, realtime: 4, hostTsc: 8, all: 14 } as const;

export function getClock(kernel: Kernel, vm: Vm, user: UserStruct<ClockStruct>): Answer {
  const clock: ClockStruct = {
    clock: kvmclockNs(kernel, vm),
    flags: vm.useMasterClock ? clockFlags.all : 0,
    realtime: vm.useMasterClock ? kernel.hostClock.realNs() : 0n,
    hostTsc: vm.useMasterClock ? hostTsc(kernel) : 0n,
  };
  return user.write(clock) ? done : refuse('argument.unwritable');
}

/** get_kvmclock_ns() */
export function kvmclockNs({ hostClock }: Kernel, { kvmclockOffsetNs }: Vm): bigint {
  return BigInt.asUintN(64, hostClock.bootNs() + kvmclockOffsetNs);
}

/**
 * pvclock_update_vm_gtod_copy() lets the clock go by the TSC where those of all vCPUs are known to
 * match. KVM cannot set a TD's and so never compares them, but a vCPU that is alone matches itself.
 */
export function updateMasterClock(vm: Vm): void {
  vm.useMasterClock = vm.tscSync.matched + 1 === vm.vcpus.length;
}

/** kvm_set_guest_paused() cannot tell a guest that keeps no kvmclock, and no TD keeps one. */
export function kvmclockCtrl({ vm, msrs }: Vcpu): Answer {
  const systemTime = msrs.get(msr.KVM_SYSTEM_TIME_NEW) ?? 0n;
  return vm.isTd || (systemTime & 1n) === 0n ? refuse('kvmclock-ctrl.no-kvmclock') : done;
}

export function setClock(kernel: Kernel, vm: Vm, user: UserStruct<ClockStruct>): Answer {
  const data = user.read();
  if (data === undefined) return refuse('argument.unreadable');
  if ((data.flags & ~clockFlags.all) !== 0) return refuse('set-clock.flags');
  updateMasterClock(vm);
  let { clock } = data;
  if ((data.flags & clockFlags.realtime) !== 0) {
    // The clock is advanced by the time that has gone by since; it is never set back.
    const since = kernel.hostClock.realNs() - data.realtime;
    if (since > 0n) clock += since;
  }
  vm.kvmclockOffsetNs = clock - kernel.hostClock.bootNs();
  return done;
}
