/** The same requests, directly and through the socket of a shared host, on twin machines: the same answers. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Guest } from '../../../src/host/guest.ts';
import { KvmError } from '../../../src/host/kvm-error.ts';
import type { GuestMemory, Host, UserMemory, Vcpu, Vm } from '../../../src/host/port.ts';
import { openSimulatedHost } from '../../../src/host/simulated/index.ts';
import { hostProfiles } from '../../../src/simulator/index.ts';
import { initVm } from './init-vm.ts';
import { serve } from './served.ts';

const kernelAbi = 'rfc-migration-v2';
/** Few slots and vCPUs, so that limits are met. */
const profile = {
  ...hostProfiles['spr-1.5'],
  platform: { ...hostProfiles['spr-1.5'].platform, keyIds: { mktme: 0, tdxPrivate: 3 } },
};

/** What one side has made so far, in the order of making. */
interface Side {
  readonly host: Host;
  readonly vms: Vm[];
  readonly vcpus: Vcpu[];
  readonly guestMemories: GuestMemory[];
  readonly memories: UserMemory[];
  readonly guests: Guest[];
}

const sideOf = (host: Host): Side => ({
  host,
  ...{ vms: [], vcpus: [], guestMemories: [], memories: [], guests: [] },
});

/** One request; what it names by number may not be there, and is none then. */
type Step = (side: Side) => Promise<unknown>;

function at<Thing>(things: readonly Thing[], place: number): Thing | undefined {
  return things.length === 0 ? undefined : things[place % things.length];
}

const place = fc.nat(3);
const smallSize = fc.constantFrom(0n, 4096n, 8192n, 5000n, 0x20_0000n);
const gpa = fc.constantFrom(0n, 4096n, 0x10_0000n, 0xffff_ffff_ffff_f000n, 123n);
const offset = fc.constantFrom(0n, 4096n, 100n);
const noAnswer = async () => 'nobody to ask';

const kept = async <Thing>(things: Thing[], made: Promise<Thing>) => {
  const thing = await made;
  things.push(thing);
  const { id, sizeBytes, address } = thing as {
    id?: number;
    sizeBytes?: bigint;
    address?: bigint;
  };
  return { id, sizeBytes, address };
};

const onVm = (ask: (vm: Vm, side: Side) => Promise<unknown>) =>
  place.map((which): [string, Step] => [
    `vm ${which}: ${ask}`,
    (side) => {
      const vm = at(side.vms, which);
      return vm === undefined ? noAnswer() : ask(vm, side);
    },
  ]);

const step: fc.Arbitrary<[string, Step]> = fc.oneof(
  fc.constantFrom<[string, Step]>(
    ['facts', ({ host }) => host.facts()],
    ['slots', ({ host }) => host.keySlots()],
    ['memory', ({ host }) => host.memory()],
    ['room', ({ host }) => host.cgroupRoom()],
    ['cpuid', ({ host }) => host.getSupportedCpuid()],
    ['max vcpus', ({ host }) => host.checkExtension('KVM_CAP_MAX_VCPUS')],
    ['close the host', ({ host }) => host.close()],
  ),
  fc
    .constantFrom('KVM_X86_TDX_VM', 'KVM_X86_TDX_VM', 'KVM_X86_TDX_VM', 'KVM_X86_SNP_VM')
    .map((type): [string, Step] => [
      `create ${type}`,
      ({ host, vms }) => kept(vms, host.createVm({ type })),
    ]),
  fc.tuple(smallSize, fc.option(place)).map(([sizeBytes, with_]): [string, Step] => [
    `map ${sizeBytes} with ${with_}`,
    ({ host, memories }) => {
      const sharedWith = with_ === null ? undefined : at(memories, with_);
      const size = sharedWith?.sizeBytes ?? sizeBytes;
      return kept(memories, host.mapMemory({ sizeBytes: size, ...(sharedWith && { sharedWith }) }));
    },
  ]),
  fc
    .tuple(place, offset, fc.uint8Array({ maxLength: 20 }))
    .map(([which, offsetBytes, bytes]): [string, Step] => [
      `write ${which} at ${offsetBytes}`,
      async ({ memories }: Side) => at(memories, which)?.write({ offsetBytes, bytes }),
    ]),
  fc
    .tuple(place, offset, fc.nat(300))
    .map(([which, offsetBytes, length]): [string, Step] => [
      `read ${which}`,
      async ({ memories }: Side) => at(memories, which)?.read(offsetBytes, length),
    ]),
  fc
    .tuple(place, smallSize)
    .map(([which, sizeBytes]): [string, Step] => [
      `discard ${which}`,
      async ({ memories }: Side) => at(memories, which)?.discard({ offsetBytes: 0n, sizeBytes }),
    ]),
  onVm((vm) => vm.checkExtension('KVM_CAP_MAX_VCPUS')),
  onVm((vm) => vm.enableCap({ capability: 'KVM_CAP_SPLIT_IRQCHIP', args: [24n] })),
  onVm((vm) => vm.enableCap({ capability: 'KVM_CAP_MAX_VCPUS', args: [2n] })),
  onVm((vm) => vm.setTscKhz({ tscKhz: 1_000_000 })),
  onVm((vm) => vm.tdxCapabilities()),
  onVm((vm, { host }) => initVm(vm, host, 0n)),
  onVm((vm, { host }) => initVm(vm, host, 0n)),
  onVm((vm, { host }) => initVm(vm, host, 1n << 60n)),
  onVm((vm) => vm.tdxFinalizeVm()),
  onVm((vm) => vm.tdxTerminateVm()),
  onVm((vm) => vm.mrtd()),
  onVm((vm) => vm.close()),
  onVm((vm) => vm.signalMsi({ address: 0xfee0_0000n, data: 5 })),
  onVm((vm, { vms }) => vm.moveEncContextFrom({ source: vms[0] })),
  onVm((vm) => vm.moveEncContextFrom({ source: undefined })),
  onVm((vm, { vcpus }) => kept(vcpus, vm.createVcpu({ id: 0 }))),
  onVm((vm, { vcpus }) => kept(vcpus, vm.createVcpu({ id: 1 }))),
  onVm((vm, { vcpus }) => kept(vcpus, vm.createVcpu({ id: 70_000 }))),
  onVm((vm, { guestMemories }) =>
    kept(guestMemories, vm.createGuestMemfd({ sizeBytes: 0x20_0000n })),
  ),
  onVm((vm, { guestMemories }) => kept(guestMemories, vm.createGuestMemfd({ sizeBytes: 5n }))),
  onVm(async (vm, { guestMemories }) => {
    const memory = guestMemories[0];
    return memory && kept(guestMemories, vm.linkGuestMemfd({ memory }));
  }),
  onVm(async (vm, { guestMemories }) => {
    const memory = guestMemories[0];
    return memory && kept(guestMemories, vm.receiveGuestMemfd({ memory }));
  }),
  onVm(async (vm, { guests, vcpus }) => {
    await kept(guests, vm.makeGuest({ vcpus, io: noIo }));
  }),
  fc
    .tuple(place, place, place, gpa, offset)
    .map(([which, memory, guest, at_, offsetBytes]): [string, Step] => [
      `slot of vm ${which} at ${at_}`,
      async (side: Side) => {
        const [vm, backing] = [at(side.vms, which), at(side.memories, memory)];
        const guestMemory = at(side.guestMemories, guest);
        if (!vm || !backing) return undefined;
        await vm.setUserMemoryRegion2({
          ...{ slot: 0, gpa: at_, sizeBytes: backing.sizeBytes, memory: backing },
          memoryOffsetBytes: 0n,
          ...(guestMemory && { guestMemory: { memory: guestMemory, offsetBytes } }),
        });
        await vm.setMemoryAttributes({ gpa: at_, sizeBytes: backing.sizeBytes, isPrivate: true });
      },
    ]),
  place.map((which): [string, Step] => [
    `set up vCPU ${which}`,
    async ({ vcpus }) => {
      const vcpu = at(vcpus, which);
      await vcpu?.setCpuid2({ entries: (await vcpu?.tdxGetCpuid()) ?? [] });
      await vcpu?.tdxInitVcpu({ initialRcx: 0x809000n });
    },
  ]),
  fc
    .tuple(place, place, gpa, offset, fc.nat(3), fc.boolean())
    .map(([which, memory, at_, sourceOffsetBytes, pages, measure]): [string, Step] => [
      `add ${pages} pages at ${at_}`,
      async ({ vcpus, memories }: Side) => {
        const [vcpu, source] = [at(vcpus, which), at(memories, memory)];
        const progress: number[] = [];
        const onProgress = (done: number) => progress.push(done);
        if (!vcpu || !source) return undefined;
        const region = { source, sourceOffsetBytes, gpa: at_, pages, measure, onProgress };
        await vcpu.tdxInitMemRegion(region);
        return progress;
      },
    ]),
  fc
    .tuple(fc.constantFrom('vcpus', 'guestMemories', 'memories'), place)
    .map(([kind, which]): [string, Step] => [
      `close ${kind} ${which}`,
      async (side: Side) => at<{ close(): Promise<void> }>(side[kind], which)?.close(),
    ]),
  fc
    .tuple(fc.constantFrom('run', 'pause', 'close', 'getState'), place)
    .map(([verb, which]): [string, Step] => [
      `${verb} guest ${which}`,
      async ({ guests }: Side) => {
        const guest = at(guests, which);
        await guest?.[verb]();
        return { end: guest?.end, taken: guest?.input(new Uint8Array(3)), counts: guest?.counts() };
      },
    ]),
  place.map((which): [string, Step] => [
    `punch ${which}`,
    async ({ guestMemories }) =>
      at(guestMemories, which)?.punchHole({ offsetBytes: 0n, sizeBytes: 4096n }),
  ]),
);

/** What makes up a TD that runs; each run leaves some of it out, and goes on with what it likes. */
const building: readonly [string, Step][] = [
  ['a TD', ({ host, vms }) => kept(vms, host.createVm({ type: 'KVM_X86_TDX_VM' }))],
  [
    'its irqchip',
    async ({ vms: [vm] }) => vm?.enableCap({ capability: 'KVM_CAP_SPLIT_IRQCHIP', args: [24n] }),
  ],
  ['its key', async ({ vms: [vm], host }) => vm && initVm(vm, host, 0n)],
  ['its vCPU', async ({ vms: [vm], vcpus }) => vm && kept(vcpus, vm.createVcpu({ id: 0 }))],
  [
    'the CPUID of that',
    async ({ vcpus: [vcpu] }) => vcpu?.setCpuid2({ entries: await vcpu.tdxGetCpuid() }),
  ],
  ['that in the module', async ({ vcpus: [vcpu] }) => vcpu?.tdxInitVcpu({ initialRcx: 5n })],
  ['memory', ({ host, memories }) => kept(memories, host.mapMemory({ sizeBytes: 0x20_0000n }))],
  [
    'bytes in it',
    async ({ memories: [memory] }) =>
      memory?.write({ offsetBytes: 4090n, bytes: new Uint8Array(9000).fill(3) }),
  ],
  [
    'a guest_memfd',
    async ({ vms: [vm], guestMemories }) =>
      vm && kept(guestMemories, vm.createGuestMemfd({ sizeBytes: 0x20_0000n })),
  ],
  [
    'a slot',
    async ({ vms: [vm], memories: [memory], guestMemories: [guestMemory] }) => {
      if (!vm || !memory) return;
      const sizeBytes = 0x20_0000n;
      const private_ = guestMemory && { guestMemory: { memory: guestMemory, offsetBytes: 0n } };
      const region = { slot: 0, gpa: 0n, sizeBytes, memory, memoryOffsetBytes: 0n, ...private_ };
      await vm.setUserMemoryRegion2(region);
      await vm.setMemoryAttributes({ gpa: 0n, sizeBytes, isPrivate: true });
    },
  ],
  [
    'pages of it',
    async ({ vcpus: [vcpu], memories: [source] }) => {
      const progress: number[] = [];
      const onProgress = (done: number) => progress.push(done);
      const region = { sourceOffsetBytes: 0n, gpa: 0n, pages: 512, measure: true, onProgress };
      if (source) await vcpu?.tdxInitMemRegion({ ...region, source });
      return progress;
    },
  ],
];

const noIo = { console() {}, debugConsole() {}, exit: async () => undefined, failed() {} };

async function answerOf(make: Promise<unknown>) {
  try {
    const value = await make;
    // Whether bytes are a Buffer is nobody's business.
    return { value: value instanceof Uint8Array ? Uint8Array.from(value) : value };
  } catch (error) {
    return { error: error instanceof KvmError ? { ...error, message: error.message } : `${error}` };
  }
}

const life = fc
  .tuple(
    fc.oneof(fc.constant(building), fc.subarray([...building])),
    fc.array(step, { minLength: 5, maxLength: 40, size: 'max' }),
  )
  .map(([built, then]) => [...built, ...then]);

test('whatever is asked of a shared host is answered as by the machine itself', async () => {
  const reached = new Set<string>();
  await fc.assert(
    fc.asyncProperty(life, async (steps) => {
      const host = openSimulatedHost({ profile, kernelAbi });
      const served = await serve({ profile, kernelAbi });
      const joined = await served.join();
      const [direct, through] = [sideOf(host), sideOf(joined)];
      const keep = await joined.mapMemory({ sizeBytes: 4096n });
      await host.mapMemory({ sizeBytes: 4096n });
      for (const [name, ask] of steps) {
        const expected = await answerOf(ask(direct));
        expect(await answerOf(ask(through)), name).toEqual(expected);
        expect(joined.simulatedTimeNs(), name).toBe(host.simulatedTimeNs());
        reached.add('error' in expected ? JSON.stringify(expected.error, noBig) : name);
      }
      const { clock: _, ...left } = served.machine.snapshot();
      expect(left).toEqual((({ clock: _c, ...rest }) => rest)(host.snapshot()));
      await keep.close();
      joined.leave();
      await served.programs(0);
      expect(served.machine.keySlots.used).toBe(0);
      await served.stop();
    }),
    { numRuns: 12, seed: 7 },
  );
  // The requests were of some use: whole TDs were built, and many kinds of refusals came.
  expect(building.map(([name]) => name).filter((name) => !reached.has(name))).toEqual([]);
  expect([...reached].filter((each) => each.startsWith('{')).length).toBeGreaterThan(20);
});

const noBig = (_key: string, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value);
