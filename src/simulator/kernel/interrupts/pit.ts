/**
 * The state of the PIT, as arch/x86/kvm/i8254.c keeps it: nothing counts here, so that it is what user space
 * wrote last, or what a reset leaves.
 */
import type { Answer, UserBytes } from '../../interface.ts';
import { done } from '../answer.ts';
import { type CopiedIn, firstRefusal, type Steps } from '../checks.ts';
import type { Kernel } from '../kernel.ts';
import type { Vm } from '../objects.ts';
import { copiedBytes } from '../vcpu/copied-bytes.ts';

/** Three channels, which are all of KVM_GET_PIT, then the flags of KVM_GET_PIT2. */
const channelsBytes = 72;
const channelBytes = 24;
const pit2Bytes = 112;
const knownBytes = channelsBytes + 4;
const reinjectBytes = 32;

interface PitStateCall {
  readonly vm: Vm;
  readonly user: UserBytes;
  readonly given: CopiedIn<DataView>;
  readonly shown: number;
}

const steps: Steps<PitStateCall> = {
  'argument.unreadable': ({ given }) => given.fails(),
  'pit-state.no-pit': ({ vm }) => vm.pitDevices === 0,
  'argument.unwritable': ({ vm, user, shown }) => {
    const bytes = new Uint8Array(shown);
    bytes.set(vm.pitState.subarray(0, Math.min(shown, knownBytes)));
    return !user.write(bytes);
  },
};

export function pitState(
  kernel: Kernel,
  vm: Vm,
  request: 'KVM_GET_PIT' | 'KVM_SET_PIT' | 'KVM_GET_PIT2' | 'KVM_SET_PIT2',
  user: UserBytes,
): Answer {
  const shown = request.endsWith('2') ? pit2Bytes : channelsBytes;
  const given = copiedBytes(user, shown);
  const refused = firstRefusal(kernel, request, { steps, call: { vm, user, given, shown } });
  if (refused !== undefined) return refused;
  if (request.startsWith('KVM_SET')) {
    vm.pitState.set(new Uint8Array(given.value.buffer).subarray(0, Math.min(shown, knownBytes)));
  }
  return done;
}

/** What was said of reinjection cannot be asked for. */
export function reinjectControl(kernel: Kernel, vm: Vm, user: UserBytes): Answer {
  const call = { vm, user, given: copiedBytes(user, reinjectBytes), shown: 0 };
  return firstRefusal(kernel, 'KVM_REINJECT_CONTROL', { steps, call }) ?? done;
}

/** Each channel counts 65536 in mode 255, and only the gate of the third is closed. */
export function resetPit(): Uint8Array {
  const state = new Uint8Array(knownBytes);
  const view = new DataView(state.buffer);
  for (let channel = 0; channel < 3; channel++) {
    const at = channel * channelBytes;
    view.setUint32(at, 0x1_0000, true);
    view.setUint8(at + 13, 0xff);
    view.setUint8(at + 15, channel === 2 ? 0 : 1);
  }
  return state;
}
