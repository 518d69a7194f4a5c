/** What user space tells KVM of a vCPU of a Xen guest: kvm_xen_vcpu_set_attr() in arch/x86/kvm/xen.c. */
import type { Answer, Caller, UserBytes } from '../../interface.ts';
import { done } from '../answer.ts';
import { type CopiedIn, firstRefusal, type Steps } from '../checks.ts';
import type { Kernel } from '../kernel.ts';
import type { Vcpu } from '../objects.ts';
import { kvmclockNs } from '../vm/clock.ts';
import { copiedBytes } from './copied-bytes.ts';

const attrBytes = 72;
const valueOffset = 8;

/** Attributes by their number. */
const type = {
  vcpuInfo: 0,
  timeInfo: 1,
  runstateAddr: 2,
  runstateCurrent: 3,
  runstateData: 4,
  runstateAdjust: 5,
  vcpuId: 6,
  timer: 7,
  upcallVector: 8,
  vcpuInfoHva: 9,
} as const;

const noAddress = (1n << 64n) - 1n;
/** running, runnable, blocked and offline. */
const lastRunstate = 3n;
const keepState = noAddress;
const twoLevel = 0xffff_ffff;
const vcpuInfoBytes = 64;
const PAGE = 4096n;

interface XenCall {
  readonly kernel: Kernel;
  readonly caller: Caller;
  readonly vcpu: Vcpu;
  readonly user: UserBytes;
  readonly attr: CopiedIn<DataView>;
}

const typeOf = ({ attr }: XenCall) => attr.value.getUint16(0, true);
const u64 = ({ attr }: XenCall, word = 0) => attr.value.getBigUint64(valueOffset + 8 * word, true);
const isOneOf = (call: XenCall, ...types: number[]) => types.includes(typeOf(call));

/** The state, the time of its beginning, and the four times in the states. */
const sumOfTimes = (call: XenCall) => u64(call, 2) + u64(call, 3) + u64(call, 4) + u64(call, 5);

const steps: Steps<XenCall> = {
  'argument.unreadable': ({ attr }) => attr.fails(),
  'xen-attr.unknown': (call) => typeOf(call) > type.vcpuInfoHva,
  'xen-vcpu-attr.unaligned': (call) => {
    const isNone = u64(call) === (typeOf(call) === type.vcpuInfo ? noAddress : 0n);
    return isOneOf(call, type.vcpuInfo, type.vcpuInfoHva) && !isNone && u64(call) % 4n !== 0n;
  },
  'xen-attr.no-page': (call) => {
    const address = u64(call);
    if (typeOf(call) === type.vcpuInfoHva) {
      return address !== 0n && call.caller.memory.read(address, vcpuInfoBytes) === undefined;
    }
    return (
      isOneOf(call, type.vcpuInfo, type.timeInfo, type.runstateAddr) &&
      address !== noAddress &&
      call.vcpu.vm.slots.at(Number(address / PAGE)) === undefined
    );
  },
  'xen-vcpu-attr.runstate': (call) => {
    if (!isOneOf(call, type.runstateCurrent, type.runstateData, type.runstateAdjust)) return false;
    const stays = typeOf(call) === type.runstateAdjust && u64(call) === keepState;
    return u64(call) > lastRunstate && !stays;
  },
  'xen-vcpu-attr.runstate-sum': (call) =>
    isOneOf(call, type.runstateData, type.runstateAdjust) &&
    u64(call, 1) !== BigInt.asUintN(64, sumOfTimes(call)),
  'xen-vcpu-attr.runstate-future': (call) =>
    isOneOf(call, type.runstateData, type.runstateAdjust) &&
    kvmclockNs(call.kernel, call.vcpu.vm) < u64(call, 1),
  'xen-vcpu-attr.vcpu-id': (call) =>
    typeOf(call) === type.vcpuId &&
    call.attr.value.getUint32(valueOffset, true) >= call.kernel.profile.kvmMaxVcpus,
  'xen-vcpu-attr.timer-priority': (call) =>
    typeOf(call) === type.timer &&
    call.attr.value.getUint32(valueOffset, true) !== 0 &&
    call.attr.value.getUint32(valueOffset + 4, true) !== twoLevel,
  'xen-attr.vector': (call) => {
    const vector = call.attr.value.getUint8(valueOffset);
    return typeOf(call) === type.upcallVector && vector !== 0 && vector < 0x10;
  },
  'xen-vcpu-attr.adjustment': (call) => typeOf(call) === type.runstateAdjust,
  'argument.unwritable': (call) => {
    const answer = new Uint8Array(call.attr.value.buffer.slice(0));
    answer.set(shown(call), valueOffset);
    return !call.user.write(answer);
  },
};

export function xenVcpuAttr(
  kernel: Kernel,
  caller: Caller,
  vcpu: Vcpu,
  request: 'KVM_XEN_VCPU_GET_ATTR' | 'KVM_XEN_VCPU_SET_ATTR',
  user: UserBytes,
): Answer {
  const call = { kernel, caller, vcpu, user, attr: copiedBytes(user, attrBytes) };
  const refused = firstRefusal(kernel, request, { steps, call });
  if (refused !== undefined) return refused;
  if (request === 'KVM_XEN_VCPU_SET_ATTR') keep(call);
  return done;
}

/** The page of vcpu_info is named by its guest address or by its own, and one ends the other. */
function keep(call: XenCall): void {
  const { xen } = call.vcpu;
  if (typeOf(call) === type.vcpuInfo) xen.delete(type.vcpuInfoHva);
  if (typeOf(call) === type.vcpuInfoHva) xen.delete(type.vcpuInfo);
  const kept = typeOf(call) === type.runstateCurrent ? type.runstateData : typeOf(call);
  xen.set(kept, new Uint8Array(call.attr.value.buffer.slice(valueOffset)));
}

function shown(call: XenCall): Uint8Array {
  const { xen, index } = call.vcpu;
  const kept = typeOf(call) === type.runstateCurrent ? type.runstateData : typeOf(call);
  const bytes = xen.get(kept);
  if (bytes !== undefined) return bytes;
  if (isOneOf(call, type.vcpuInfo, type.timeInfo, type.runstateAddr)) {
    return new Uint8Array(BigUint64Array.of(noAddress).buffer);
  }
  return new Uint8Array(Uint32Array.of(typeOf(call) === type.vcpuId ? index : 0).buffer);
}
