/**
 * What user space tells KVM of a Xen guest: arch/x86/kvm/xen.c. Nothing of it reaches a guest here. Event
 * channels have no receivers, because no guest is one of Xen.
 */
import type { Answer, Caller, UserBytes } from '../../interface.ts';
import { done } from '../answer.ts';
import { type CopiedIn, firstRefusal, type Steps } from '../checks.ts';
import type { Kernel } from '../kernel.ts';
import type { Vm } from '../objects.ts';
import { copiedBytes } from '../vcpu/copied-bytes.ts';

const configBytes = 56;
const attrBytes = 72;
const evtchnBytes = 12;
const valueOffset = 8;

/** INTERCEPT_HCALL, EVTCHN_SEND and PVCLOCK_TSC_UNSTABLE: the only flags that user space enables. */
const permittedFlags = 0x2 | 0x20 | 0x80;
const INTERCEPT_HCALL = 2;
/** MSRs that hypervisors make up. */
const syntheticMsrs = { first: 0x4000_0000, last: 0x4fff_ffff } as const;

interface ConfigCall {
  readonly config: CopiedIn<DataView>;
}

const configSteps: Steps<ConfigCall> = {
  'argument.unreadable': ({ config }) => config.fails(),
  'xen-config.flags': ({ config }) => (config.value.getUint32(0, true) & ~permittedFlags) !== 0,
  'xen-config.page-given': ({ config: { value } }) =>
    (value.getUint32(0, true) & INTERCEPT_HCALL) !== 0 &&
    (value.getBigUint64(8, true) !== 0n ||
      value.getBigUint64(16, true) !== 0n ||
      value.getUint16(24, true) !== 0),
  'xen-config.msr': ({ config }) => {
    const msr = config.value.getUint32(4, true);
    return msr !== 0 && (msr < syntheticMsrs.first || msr > syntheticMsrs.last);
  },
};

export function xenHvmConfig(kernel: Kernel, user: UserBytes): Answer {
  const call = { config: copiedBytes(user, configBytes) };
  return firstRefusal(kernel, 'KVM_XEN_HVM_CONFIG', { steps: configSteps, call }) ?? done;
}

/** Attributes by their number. A page is named by its frame or by its address, and one ends the other. */
export const xenAttr = {
  longMode: 0,
  sharedInfo: 1,
  upcallVector: 2,
  eventChannel: 3,
  version: 4,
  runstateUpdateFlag: 5,
  sharedInfoHva: 6,
} as const;

const noFrame = (1n << 64n) - 1n;
const PAGE = 4096n;

/** Bytes of the value that each has, and what it is until it is set. */
const attributes: ReadonlyMap<number, { readonly bytes: 1 | 4 | 8; readonly initial: bigint }> =
  new Map([
    [xenAttr.longMode, { bytes: 1, initial: 0n }],
    [xenAttr.sharedInfo, { bytes: 8, initial: noFrame }],
    [xenAttr.upcallVector, { bytes: 1, initial: 0n }],
    [xenAttr.version, { bytes: 4, initial: 0n }],
    [xenAttr.sharedInfoHva, { bytes: 8, initial: 0n }],
    [xenAttr.runstateUpdateFlag, { bytes: 1, initial: 0n }],
  ] as const);

interface AttrCall {
  readonly caller: Caller;
  readonly vm: Vm;
  readonly user: UserBytes;
  readonly attr: CopiedIn<DataView>;
}

const typeOf = ({ attr }: AttrCall) => attr.value.getUint16(0, true);
const valueIn = ({ attr: { value } }: AttrCall, bytes: 1 | 4 | 8) => {
  if (bytes === 8) return value.getBigUint64(valueOffset, true);
  return BigInt(bytes === 4 ? value.getUint32(valueOffset, true) : value.getUint8(valueOffset));
};
const given = (call: AttrCall) => valueIn(call, attributes.get(typeOf(call))?.bytes ?? 8);
const sets = (type: number, step: (value: bigint, call: AttrCall) => boolean) => (call: AttrCall) =>
  typeOf(call) === type && step(given(call), call);

const attrSteps: Steps<AttrCall> = {
  'argument.unreadable': ({ attr }) => attr.fails(),
  'xen-attr.unknown': (call) => !attributes.has(typeOf(call)),
  'xen-attr.page-unaligned': sets(xenAttr.sharedInfoHva, (hva) => hva % PAGE !== 0n),
  'xen-attr.no-page': (call) =>
    sets(
      xenAttr.sharedInfo,
      (gfn, { vm }) => gfn !== noFrame && vm.slots.at(Number(gfn)) === undefined,
    )(call) ||
    sets(
      xenAttr.sharedInfoHva,
      (hva, { caller }) => hva !== 0n && caller.memory.read(hva, Number(PAGE)) === undefined,
    )(call),
  'xen-attr.vector': sets(xenAttr.upcallVector, (vector) => vector !== 0n && vector < 0x10n),
  'argument.unwritable': (call) => {
    const { vm, user, attr } = call;
    const { bytes = 8, initial = 0n } = attributes.get(typeOf(call)) ?? {};
    const answer = new Uint8Array(attr.value.buffer.slice(0));
    new DataView(answer.buffer).setBigUint64(
      valueOffset,
      BigInt.asUintN(8 * bytes, vm.xen.get(typeOf(call)) ?? initial) |
        (attr.value.getBigUint64(valueOffset, true) & ~((1n << BigInt(8 * bytes)) - 1n)),
      true,
    );
    return !user.write(answer);
  },
};

export function xenHvmAttr(
  kernel: Kernel,
  caller: Caller,
  vm: Vm,
  request: 'KVM_XEN_HVM_GET_ATTR' | 'KVM_XEN_HVM_SET_ATTR',
  user: UserBytes,
): Answer {
  const call = { caller, vm, user, attr: copiedBytes(user, attrBytes) };
  const refused = firstRefusal(kernel, request, { steps: attrSteps, call });
  if (refused !== undefined) return refused;
  if (request === 'KVM_XEN_HVM_SET_ATTR') keep(call);
  return done;
}

function keep(call: AttrCall): void {
  const { xen } = call.vm;
  const type = typeOf(call);
  const isFlag = type === xenAttr.longMode || type === xenAttr.runstateUpdateFlag;
  if (type === xenAttr.sharedInfo) xen.delete(xenAttr.sharedInfoHva);
  if (type === xenAttr.sharedInfoHva) xen.delete(xenAttr.sharedInfo);
  xen.set(type, isFlag && given(call) !== 0n ? 1n : given(call));
}

interface EvtchnCall {
  readonly vm: Vm;
  readonly event: CopiedIn<DataView>;
}

/** A guest of 64 bits has 4096 ports, and another 1024. */
const ports = (vm: Vm) => (vm.xen.get(xenAttr.longMode) === 1n ? 4096 : 1024);
const twoLevel = 0xffff_ffff;

const evtchnSteps: Steps<EvtchnCall> = {
  'argument.unreadable': ({ event }) => event.fails(),
  'xen-evtchn.port': ({ vm, event }) => {
    const port = event.value.getUint32(0, true);
    return port === 0 || port >= ports(vm);
  },
  'xen-evtchn.priority': ({ event }) => event.value.getUint32(8, true) !== twoLevel,
  'xen-evtchn.no-vcpu': ({ vm, event }) => !vm.vcpusById.has(event.value.getUint32(4, true)),
  'xen-evtchn.no-shared-info': ({ vm }) => !hasSharedInfo(vm),
};

function hasSharedInfo({ xen }: Vm): boolean {
  return (
    (xen.get(xenAttr.sharedInfo) ?? noFrame) !== noFrame ||
    (xen.get(xenAttr.sharedInfoHva) ?? 0n) !== 0n
  );
}

export function xenEvtchnSend(kernel: Kernel, vm: Vm, user: UserBytes): Answer {
  const call = { vm, event: copiedBytes(user, evtchnBytes) };
  return firstRefusal(kernel, 'KVM_XEN_HVM_EVTCHN_SEND', { steps: evtchnSteps, call }) ?? done;
}
