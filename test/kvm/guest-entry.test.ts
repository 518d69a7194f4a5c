/** Whether and when the real /dev/kvm takes a guest: what a report of a move is made of. */
import { expect, test } from 'vitest';
import { rejection } from '../native/support.ts';
import {
  counterAt,
  enterRealMode,
  enterUserMode,
  memoryBytes,
  readU64,
  requireMachine,
} from './guest-support.ts';

/** Counts at 0x2000. */
const counts = Uint8Array.of(
  ...[0x48, 0xff, 0xc3], // 1: inc %rbx
  ...[0x48, 0x89, 0x1c, 0x25, 0x00, 0x20, 0x00, 0x00], // mov %rbx, 0x2000
  ...[0xeb, 0xf3], // jmp 1b
);

const spinsWithoutInterrupts = Uint8Array.of(0xfa, 0xeb, 0xfe); // cli; jmp .
const halts = Uint8Array.of(0xf4);

test('a guest that spins is entered, a thousand times', async (context) => {
  const { makeVm } = await requireMachine(context, spinsWithoutInterrupts);
  const { vcpus, start } = await makeVm({ vcpuCount: 2 });
  await Promise.all(vcpus.map(enterRealMode));
  const { guest } = await start();
  for (let round = 0; round < 1000; round += 1) {
    guest.run();
    await guest.entered();
    const { enteredNs = 0n, exitedNs = 0n } = guest.times();
    expect(exitedNs).toBeGreaterThan(enteredNs);
    await guest.pause();
    expect(guest.times().parkedNs).toBeGreaterThan(exitedNs);
  }
});

test('a vCPU that waits for its INIT is taken too', async (context) => {
  const { makeVm } = await requireMachine(context, halts);
  const { vcpus, start } = await makeVm({ vcpuCount: 2, irqchip: true });
  const [boot] = vcpus;
  if (boot) await enterRealMode(boot);
  const { guest } = await start();
  guest.run();
  await guest.entered();
  await guest.pause();
});

test('a guest whose first instruction is nowhere is refused', async (context) => {
  const { makeVm } = await requireMachine(context, halts);
  const { vcpu, start } = await makeVm();
  await enterRealMode(vcpu);
  await vcpu.kvmSetRegs({ ...(await vcpu.kvmGetRegs()), rip: memoryBytes / 2n ** 4n, rflags: 2n });
  const sregs = await vcpu.kvmGetSregs();
  new DataView(sregs.buffer).setBigUint64(0, memoryBytes, true); // the base of CS
  await vcpu.kvmSetSregs(sregs);
  const { guest, ended } = await start();
  guest.run();
  // Asked before, KVM might have been interrupted between having taken it and that instruction.
  expect(await ended).toMatchObject({ kind: 'internal-error', vcpu: 0 });
  expect(await rejection(guest.entered())).toMatchObject({ code: 'ESHUTDOWN', vcpu: 0 });
});

test('the parts of a blackout follow each other', async (context) => {
  const { makeVm, memory } = await requireMachine(context, counts);
  const [source, target] = await Promise.all([makeVm(), makeVm()]);
  await enterUserMode(source.vcpu, memory);
  const [before, after] = await Promise.all([source.start(), target.start()]);
  before.guest.run();
  await before.guest.entered();
  while (readU64(memory, counterAt) === 0n) await new Promise((resolve) => setImmediate(resolve));
  const now = () => process.hrtime.bigint();
  const asked = now();
  await before.guest.pause();
  const state = await source.vcpu.getState(source.shape);
  const got = now();
  await target.vcpu.setState(state);
  const set = now();
  after.guest.run();
  await after.guest.entered();
  const { parkedNs = 0n } = before.guest.times();
  const { enteredNs = 0n, exitedNs = 0n } = after.guest.times();
  const moments = [asked, parkedNs, got, set, enteredNs, exitedNs, now()];
  expect(moments).toEqual(moments.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)));
});
