/** What can be asked of each kind of object: the port's methods, with the form of what they take. */
import { z } from 'zod';
import { type CapabilityName, capabilities } from '../../../abi/kvm/capabilities.ts';
import { type VmTypeName, vmTypes } from '../../../abi/kvm/vm-types.ts';
import {
  SimulatedGuest,
  SimulatedGuestMemory,
  type SimulatedHost,
  SimulatedMemory,
  SimulatedVcpu,
  SimulatedVm,
} from '../../simulated/index.ts';
import { type ObjectFacts, type ObjectKind, pageBytes, pagesAtOnce } from '../wire/messages.ts';
import type { CallUnderWay } from './framed-peer.ts';

/** What a call has besides its object. */
export interface CallContext {
  readonly underWay: CallUnderWay;
  readonly passing: Passing;
}

/** Objects go from program to program. */
export interface Passing {
  grant(object: Grantable, to: number): string;
  accept(ticket: string, kind: ObjectKind): Grantable;
}

export type Grantable = SimulatedVm | SimulatedGuestMemory | SimulatedMemory;

interface Method {
  readonly arg: z.ZodType;
  call(target: never, arg: never, context: CallContext): unknown;
}

function method<Target, Arg extends z.ZodType>(
  arg: Arg,
  call: (target: Target, arg: z.output<Arg>, context: CallContext) => unknown,
): Method {
  return { arg, call };
}

const nameOf = <Name extends string>(known: Readonly<Record<Name, unknown>>) =>
  z.custom<Name>((value) => typeof value === 'string' && Object.hasOwn(known, value));
const capability = nameOf<CapabilityName>(capabilities);
const bytes = z.instanceof(Uint8Array);
const nothing = z.undefined();
const register = z.number();
const cpuid = z.array(
  z.object({
    ...{ function: register, index: register, flags: register },
    ...{ eax: register, ebx: register, ecx: register, edx: register },
  }),
);
const memory = z.instanceof(SimulatedMemory);
const guestMemory = z.instanceof(SimulatedGuestMemory);
const vm = z.instanceof(SimulatedVm);
const pages = z.object({ offsetBytes: z.bigint(), sizeBytes: z.bigint() });

/** The guest prints and exits nothing that would have to be handed on. */
const noIo = { console() {}, debugConsole() {}, exit: async () => undefined, failed() {} };

type Methods = Readonly<Record<string, Method>>;

const host: Methods = {
  facts: method(nothing, (target: SimulatedHost) => target.facts()),
  keySlots: method(nothing, (target: SimulatedHost) => target.keySlots()),
  cgroupRoom: method(nothing, (target: SimulatedHost) => target.cgroupRoom()),
  memory: method(nothing, (target: SimulatedHost) => target.memory()),
  checkExtension: method(capability, (target: SimulatedHost, arg) => target.checkExtension(arg)),
  getSupportedCpuid: method(nothing, (target: SimulatedHost) => target.getSupportedCpuid()),
  createVm: method(z.object({ type: nameOf<VmTypeName>(vmTypes) }), (target: SimulatedHost, arg) =>
    target.createVm(arg),
  ),
  mapMemory: method(
    z.object({ sizeBytes: z.bigint(), sharedWith: memory.exactOptional() }),
    (target: SimulatedHost, arg) => target.mapMemory(arg),
  ),
  close: method(nothing, (target: SimulatedHost) => target.close()),
  grant: method(
    z.object({ object: z.union([vm, guestMemory, memory]), to: z.int() }),
    (_target: SimulatedHost, { object, to }, { passing }) => passing.grant(object, to),
  ),
  accept: method(
    z.object({ ticket: z.string(), kind: z.enum(['vm', 'guestMemory', 'memory']) }),
    (_target: SimulatedHost, { ticket, kind }, { passing }) => passing.accept(ticket, kind),
  ),
};

const ofVm: Methods = {
  checkExtension: method(capability, (target: SimulatedVm, arg) => target.checkExtension(arg)),
  enableCap: method(
    z.object({ capability, args: z.array(z.bigint()).exactOptional() }),
    (target: SimulatedVm, arg) => target.enableCap(arg),
  ),
  setTscKhz: method(z.object({ tscKhz: z.number() }), (target: SimulatedVm, arg) =>
    target.setTscKhz(arg),
  ),
  createVcpu: method(z.object({ id: z.number() }), (target: SimulatedVm, arg) =>
    target.createVcpu(arg),
  ),
  createGuestMemfd: method(z.object({ sizeBytes: z.bigint() }), (target: SimulatedVm, arg) =>
    target.createGuestMemfd(arg),
  ),
  linkGuestMemfd: method(z.object({ memory: guestMemory }), (target: SimulatedVm, arg) =>
    target.linkGuestMemfd(arg),
  ),
  receiveGuestMemfd: method(z.object({ memory: guestMemory }), (target: SimulatedVm, arg) =>
    target.receiveGuestMemfd(arg),
  ),
  moveEncContextFrom: method(
    z.object({ source: vm.optional() }),
    (target: SimulatedVm, { source }) => target.moveEncContextFrom({ source }),
  ),
  setUserMemoryRegion2: method(
    z.object({
      slot: z.number(),
      gpa: z.bigint(),
      sizeBytes: z.bigint(),
      memory,
      memoryOffsetBytes: z.bigint(),
      guestMemory: z.object({ memory: guestMemory, offsetBytes: z.bigint() }).exactOptional(),
    }),
    (target: SimulatedVm, arg) => target.setUserMemoryRegion2(arg),
  ),
  setMemoryAttributes: method(
    z.object({ gpa: z.bigint(), sizeBytes: z.bigint(), isPrivate: z.boolean() }),
    (target: SimulatedVm, arg) => target.setMemoryAttributes(arg),
  ),
  setMemoryAttributes2: method(
    z.object({ memory: guestMemory, ...pages.shape, isPrivate: z.boolean() }),
    (target: SimulatedVm, arg) => target.setMemoryAttributes2(arg),
  ),
  signalMsi: method(
    z.object({ address: z.bigint(), data: z.number() }),
    (target: SimulatedVm, arg) => target.signalMsi(arg),
  ),
  tdxCapabilities: method(nothing, (target: SimulatedVm) => target.tdxCapabilities()),
  tdxInitVm: method(
    z.object({
      attributes: z.bigint(),
      xfam: z.bigint(),
      maxVcpus: z.number().exactOptional(),
      mrConfigId: bytes,
      mrOwner: bytes,
      mrOwnerConfig: bytes,
      cpuid,
    }),
    (target: SimulatedVm, arg) => target.tdxInitVm(arg),
  ),
  tdxFinalizeVm: method(nothing, (target: SimulatedVm) => target.tdxFinalizeVm()),
  tdxTerminateVm: method(nothing, (target: SimulatedVm) => target.tdxTerminateVm()),
  mrtd: method(nothing, (target: SimulatedVm) => target.mrtd()),
  startKernel: method(z.unknown(), (target: SimulatedVm) => target.startKernel()),
  makeGuest: method(
    z.object({ vcpus: z.array(z.instanceof(SimulatedVcpu)) }),
    (target: SimulatedVm, { vcpus }) => target.makeGuest({ vcpus, io: noIo }),
  ),
  close: method(nothing, (target: SimulatedVm) => target.close()),
};

const ofVcpu: Methods = {
  setCpuid2: method(z.object({ entries: cpuid }), (target: SimulatedVcpu, arg) =>
    target.setCpuid2(arg),
  ),
  tdxInitVcpu: method(z.object({ initialRcx: z.bigint() }), (target: SimulatedVcpu, arg) =>
    target.tdxInitVcpu(arg),
  ),
  tdxInitMemRegion: method(
    z.object({
      source: memory,
      sourceOffsetBytes: z.bigint(),
      gpa: z.bigint(),
      pages: z.number(),
      measure: z.boolean(),
    }),
    (target: SimulatedVcpu, arg, { underWay: { signal, tell } }) =>
      target.tdxInitMemRegion({ ...arg, signal, onProgress: tell }),
  ),
  tdxGetCpuid: method(nothing, (target: SimulatedVcpu) => target.tdxGetCpuid()),
  close: method(nothing, (target: SimulatedVcpu) => target.close()),
};

const ofGuestMemory: Methods = {
  punchHole: method(pages, (target: SimulatedGuestMemory, arg) => target.punchHole(arg)),
  close: method(nothing, (target: SimulatedGuestMemory) => target.close()),
};

const ofMemory: Methods = {
  discard: method(pages, (target: SimulatedMemory, arg) => target.discard(arg)),
  /** Pages with bytes from a number on, as many as go in one message: for who has been granted the memory. */
  pagesFrom: method(z.int(), (target: SimulatedMemory, from) => {
    const numbers = [...target.pages.keys()]
      .filter((each) => each >= from)
      .sort((a, b) => a - b)
      .slice(0, pagesAtOnce);
    return {
      pages: numbers,
      bytes: Buffer.concat(
        numbers.map((each) => target.pages.get(each) ?? new Uint8Array(pageBytes)),
      ),
    };
  }),
  close: method(nothing, (target: SimulatedMemory) => target.close()),
};

const ofGuest: Methods = {
  run: method(nothing, (target: SimulatedGuest) => target.run()),
  pause: method(nothing, (target: SimulatedGuest) => target.pause()),
  getState: method(nothing, (target: SimulatedGuest) => target.getState()),
  setState: method(z.record(z.string(), z.unknown()), (target: SimulatedGuest) =>
    target.setState(),
  ),
  close: method(nothing, (target: SimulatedGuest) => target.close()),
};

export const methods: Readonly<Record<ObjectKind | 'host', Methods>> = {
  host,
  vm: ofVm,
  vcpu: ofVcpu,
  guestMemory: ofGuestMemory,
  memory: ofMemory,
  guest: ofGuest,
};

/** What of the machine's the other side can name, and what it is told of it. */
export function objectFacts(
  value: object,
): { readonly [Kind in ObjectKind]: { kind: Kind } & ObjectFacts[Kind] }[ObjectKind] | undefined {
  if (value instanceof SimulatedVm) return { kind: 'vm' };
  if (value instanceof SimulatedVcpu) return { kind: 'vcpu', id: value.id };
  if (value instanceof SimulatedGuestMemory) {
    return { kind: 'guestMemory', sizeBytes: value.sizeBytes };
  }
  if (value instanceof SimulatedMemory) {
    return { kind: 'memory', address: value.address, sizeBytes: value.sizeBytes };
  }
  if (value instanceof SimulatedGuest) return { kind: 'guest' };
  return undefined;
}
