/**
 * Real programs on a shared host, each of which is killed by SIGKILL at one of its requests: the machine is whole
 * afterwards, and its slots are back. All requests with TDCTL_SWEEP=full, else some, and as many programs at once.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { hostProfiles } from '../../src/simulator/index.ts';
import { serve } from '../host/shared/served.ts';
import { builtModule } from '../support/built.ts';

const isFull = process.env.TDCTL_SWEEP === 'full';
/** A life asks for less than this; a program that has asked for all ends by itself. */
const requests = Array.from({ length: 26 }, (_, at) => at + 1);
const tried = isFull ? requests : requests.filter((each) => each % 5 === 3);
const programs = isFull ? 64 : 6;

/** Builds TDs until the last request has been sent, and is gone before it is answered. */
const program = `
const [path, lastRequest] = process.argv.slice(1);
const { openSharedHost } = await import(${JSON.stringify(builtModule('src/host/shared/index.ts'))});
const host = await openSharedHost(path);
let made = 0;
const asked = (call) => {
  // What is sent in this turn of the loop is on its way when the next one begins.
  if (++made === Number(lastRequest)) setImmediate(() => process.kill(process.pid, 'SIGKILL'));
  return call;
};
const vm = await asked(host.createVm({ type: 'KVM_X86_TDX_VM' }));
await asked(vm.enableCap({ capability: 'KVM_CAP_SPLIT_IRQCHIP', args: [24n] }));
const { supportedXfam: xfam } = await asked(vm.tdxCapabilities());
const identity = new Uint8Array(48);
const width = { function: 0x80000008, index: 0, flags: 0, eax: 48 << 16, ebx: 0, ecx: 0, edx: 0 };
await asked(vm.tdxInitVm({
  attributes: 0n, xfam, mrConfigId: identity, mrOwner: identity, mrOwnerConfig: identity, cpuid: [width],
}));
const vcpus = [];
for (const id of [0, 1]) {
  const vcpu = await asked(vm.createVcpu({ id }));
  await asked(vcpu.setCpuid2({ entries: await asked(vcpu.tdxGetCpuid()) }));
  await asked(vcpu.tdxInitVcpu({ initialRcx: 0n }));
  vcpus.push(vcpu);
}
const sizeBytes = 0x400000n;
const memory = await asked(host.mapMemory({ sizeBytes }));
memory.write({ offsetBytes: 0n, bytes: new Uint8Array(Number(sizeBytes)).fill(1) });
const guestMemory = await asked(vm.createGuestMemfd({ sizeBytes }));
await asked(vm.setUserMemoryRegion2({
  slot: 0, gpa: 0n, sizeBytes, memory, memoryOffsetBytes: 0n, guestMemory: { memory: guestMemory, offsetBytes: 0n },
}));
await asked(vm.setMemoryAttributes({ gpa: 0n, sizeBytes, isPrivate: true }));
const source = { source: memory, sourceOffsetBytes: 0n };
await asked(vcpus[0].tdxInitMemRegion({ ...source, gpa: 0n, pages: 1024, measure: true }));
await asked(vm.tdxFinalizeVm());
const io = { console() {}, debugConsole() {}, exit: async () => undefined, failed() {} };
const guest = await asked(vm.makeGuest({ vcpus, io }));
await asked(guest.run());
await asked(guest.pause());
for (const each of [guest, vm, ...vcpus, guestMemory, memory]) await asked(each.close());
process.exit(0);
`;

const roomy = {
  ...hostProfiles['spr-1.5'],
  platform: { ...hostProfiles['spr-1.5'].platform, keyIds: { mktme: 0, tdxPrivate: 64 } },
};

/** @returns the signal that ended it; null where it came to its own end. */
async function run(path: string, lastRequest: number): Promise<NodeJS.Signals | null> {
  const args = ['--input-type=module', '-e', program, path, String(lastRequest)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const [code, signal] = await once(child, 'exit');
  expect(signal ?? code).toSatisfy((end: unknown) => end === 'SIGKILL' || end === 0);
  return signal;
}

const whole = {
  vms: [],
  keySlots: { assigned: 0, leaked: 0 },
  hostPages: { inUse: 0, leaked: 0 },
};

test('a program that is killed at any request leaves the machine whole', async () => {
  const served = await serve({ profile: roomy });
  const ends: (NodeJS.Signals | null)[] = [];
  for (const lastRequest of tried) {
    ends.push(await run(served.path, lastRequest));
    await served.programs(0);
    expect(served.machine.snapshot(), `killed at request ${lastRequest}`).toMatchObject(whole);
  }
  expect(ends).toEqual(tried.map(() => 'SIGKILL'));
});

test('programs that start at once and are killed here and there leave it whole too', async () => {
  const served = await serve({ profile: roomy });
  const all = Array.from({ length: programs }, (_, at) => run(served.path, 1 + ((at * 7) % 40)));
  await Promise.all(all);
  await served.programs(0);
  expect(served.machine.snapshot()).toMatchObject(whole);
});
