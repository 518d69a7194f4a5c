/** A guest that comes to rest, and its whole state as bytes, without a turn of the event loop; the kernel is a script. */
import { describe, expect, test } from 'vitest';
import type { ScriptedAnswer, VcpuStateShape } from '../../native/index.ts';
import { ioctlNumbers } from '../../src/abi/kvm/requests.ts';
import { vcpuStateBytes } from '../../src/abi/kvm/vcpu-state.ts';
import { ascii, powerOff, runsOn, scriptedGuest, writesPort } from './guest-support.ts';

const stateShape: VcpuStateShape = {
  ...{ msrs: [], xsaveBytes: 0, sregs2: false, lapic: true, tscKhz: false, tscOffset: false },
};
const pattern = (length: number, seed: number) =>
  Uint8Array.from({ length }, (_, at) => (at * 7 + seed) % 251);

/** In the order of the kernel, once to be got and once to be set. */
const vmParts = [
  ['KVM_GET_PIT2', 'KVM_SET_PIT2', 112],
  ['KVM_GET_IRQCHIP', 'KVM_SET_IRQCHIP', 520],
  ['KVM_GET_IRQCHIP', 'KVM_SET_IRQCHIP', 520],
  ['KVM_GET_IRQCHIP', 'KVM_SET_IRQCHIP', 520],
  ['KVM_GET_CLOCK', 'KVM_SET_CLOCK', 48],
] as const;
const vcpuParts = [
  ['KVM_GET_MP_STATE', 'KVM_SET_MP_STATE', 4],
  ['KVM_GET_VCPU_EVENTS', 'KVM_SET_VCPU_EVENTS', vcpuStateBytes.KVM_GET_VCPU_EVENTS],
  ['KVM_GET_REGS', 'KVM_SET_REGS', vcpuStateBytes.KVM_GET_REGS],
  ['KVM_GET_SREGS', 'KVM_SET_SREGS', vcpuStateBytes.KVM_GET_SREGS],
  ['KVM_GET_XSAVE', 'KVM_SET_XSAVE', vcpuStateBytes.KVM_GET_XSAVE],
  ['KVM_GET_XCRS', 'KVM_SET_XCRS', vcpuStateBytes.KVM_GET_XCRS],
  ['KVM_GET_DEBUGREGS', 'KVM_SET_DEBUGREGS', vcpuStateBytes.KVM_GET_DEBUGREGS],
  ['KVM_GET_LAPIC', 'KVM_SET_LAPIC', vcpuStateBytes.KVM_GET_LAPIC],
] as const;
const parts = [...vmParts, ...vcpuParts];
const getting: readonly ScriptedAnswer[] = parts.map(([get, , size], at) => ({
  request: ioctlNumbers[get],
  argument: pattern(size, at),
}));
const setOrder = [
  ...['KVM_SET_IRQCHIP', 'KVM_SET_IRQCHIP', 'KVM_SET_IRQCHIP', 'KVM_SET_PIT2', 'KVM_SET_CLOCK'],
  ...['KVM_SET_SREGS', 'KVM_SET_REGS', 'KVM_SET_XSAVE', 'KVM_SET_XCRS', 'KVM_SET_DEBUGREGS'],
  ...['KVM_SET_LAPIC', 'KVM_SET_VCPU_EVENTS', 'KVM_SET_MP_STATE'],
] as const;
const setting: readonly ScriptedAnswer[] = setOrder.map((name) => ({
  request: ioctlNumbers[name],
}));

describe('the state of a guest as bytes', () => {
  test('gives another guest all that the kernel gave, in the order of the kernel', async (context) => {
    const one = await scriptedGuest(context, [], { stateShape });
    one.script(...getting);
    const packed = one.guest.getPacked();
    const other = await scriptedGuest(context, [], { stateShape });
    const { calls } = other.script(...setting);
    other.guest.setPacked(packed);
    const set = calls();
    expect(set.map(({ request }) => request)).toEqual(setOrder.map((name) => ioctlNumbers[name]));
    const places = new Map<string, number[]>();
    for (const [at, [, name]] of parts.entries()) {
      places.set(name, [...(places.get(name) ?? []), at]);
    }
    for (const [at, name] of setOrder.entries()) {
      const from = places.get(name)?.shift() ?? -1;
      const size = parts[from]?.[2] ?? 0;
      expect(set[at]?.argument.slice(0, size)).toEqual(pattern(size, from));
    }
  });

  test('that is cut off, too long or of another layout sets nothing', async (context) => {
    const one = await scriptedGuest(context, [], { stateShape });
    one.script(...getting);
    const packed = one.guest.getPacked();
    const { calls } = one.script();
    const otherLayout = Uint8Array.from(packed);
    otherLayout[0] = 0xff;
    const longer = new Uint8Array(packed.length + 1);
    longer.set(packed);
    const cut = Array.from({ length: 64 }, (_, at) =>
      packed.subarray(0, Math.floor((packed.length * at) / 64)),
    );
    for (const wrong of [otherLayout, longer, ...cut]) {
      expect(() => one.guest.setPacked(wrong)).toThrow(RangeError);
    }
    expect(calls()).toEqual([]);
  });

  test('is given with no other number of vCPUs than it is taken with', async (context) => {
    const one = await scriptedGuest(context, [], { stateShape });
    one.script(...getting);
    const packed = one.guest.getPacked();
    const two = await scriptedGuest(context, [], { stateShape, vcpuCount: 2 });
    expect(() => two.guest.setPacked(packed)).toThrow(RangeError);
  });

  test('is refused as the kernel refuses it', async (context) => {
    const { guest, script } = await scriptedGuest(context, [], { stateShape });
    script({ request: ioctlNumbers.KVM_GET_PIT2, errno: 6 });
    expect(() => guest.getPacked()).toThrow(
      expect.objectContaining({ request: 'KVM_GET_PIT2', code: 'ENXIO' }),
    );
    const { guest: shapeless } = await scriptedGuest(context, []);
    expect(() => shapeless.getPacked()).toThrow(expect.objectContaining({ code: 'EINVAL' }));
    guest.stop();
    expect(() => guest.getPacked()).toThrow(expect.objectContaining({ code: 'EBADF' }));
    expect(() => guest.setPacked(new Uint8Array(4))).toThrow(
      expect.objectContaining({ code: 'EBADF' }),
    );
  });
});

describe('a guest that is waited for', () => {
  test('has come to KVM_RUN, then to rest, and all that it wrote is told, in one turn', async (context) => {
    const { guest, seen } = await scriptedGuest(context, [
      writesPort(0x3f8, ascii('said')),
      runsOn,
    ]);
    expect(guest.awaitParked(0)).toBe(true);
    guest.run();
    expect(guest.awaitCalled(1000)).toBe(true);
    // Until its second KVM_RUN, which a pause ends.
    while (guest.counts().exits === 0);
    expect(guest.awaitParked(0)).toBe(false);
    expect(() => guest.getPacked()).toThrow(/stateShape/);
    const paused = guest.pause();
    expect(guest.awaitParked(1000)).toBe(true);
    expect(seen.console).toEqual([]);
    guest.tellNow();
    expect(seen.console).toEqual(ascii('said'));
    await paused;
    guest.stop();
    expect(guest.awaitParked(0)).toBe(false);
    expect(() => guest.awaitParked(1e9)).toThrow(RangeError);
  });

  test('cannot come to rest while a vCPU waits for an answer', async (context) => {
    const waited: boolean[] = [];
    const { guest, ended } = await scriptedGuest(
      context,
      [{ request: ioctlNumbers.KVM_RUN, memory: mmio }, powerOff],
      {
        handlers: {
          exit: async () => {
            guest.pause().catch(() => undefined);
            waited.push(guest.awaitParked(1));
            guest.run();
            return undefined;
          },
        },
      },
    );
    guest.run();
    expect(await ended).toMatchObject({ kind: 'power-off' });
    expect(waited).toEqual([false]);
  });
});

/** KVM_EXIT_MMIO: a read of four bytes. */
const mmio = (() => {
  const page = new Uint8Array(288);
  const view = new DataView(page.buffer);
  view.setUint32(8, 6, true);
  view.setBigUint64(32, 0xfec0_0000n, true);
  view.setUint32(48, 4, true);
  return page;
})();
