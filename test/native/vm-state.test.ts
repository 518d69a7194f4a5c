/** All that the kernel keeps of a VM but its memory and its vCPUs, in one call. */
import { describe, expect, test } from 'vitest';
import type { VmState } from '../../native/index.ts';
import { ioctlNumbers } from '../../src/abi/kvm/requests.ts';
import { concat, rejection, scripted, u32, zeros } from './support.ts';

const names = Object.fromEntries(Object.entries(ioctlNumbers).map(([name, nr]) => [nr, name]));
const everything = { irqchip: true, pit: true, clock: true };
const chip = (id: number) => concat(u32(id, 0), zeros(512).fill(id + 1));
const state: VmState = {
  irqchips: [chip(0), chip(1), chip(2)],
  pit: zeros(112).fill(7),
  clock: zeros(48).fill(8),
};

describe('the state of a VM', () => {
  test('is got in the order of its side effects, each chip by its number', async (context) => {
    const { vm, script } = await scripted(context);
    const { calls } = script(
      { request: ioctlNumbers.KVM_GET_PIT2, argument: state.pit ?? zeros(0) },
      ...[0, 1, 2].map((id) => ({ request: ioctlNumbers.KVM_GET_IRQCHIP, argument: chip(id) })),
      { request: ioctlNumbers.KVM_GET_CLOCK, argument: state.clock ?? zeros(0) },
    );
    expect(await vm.getState(everything)).toEqual(state);
    expect(
      calls()
        .slice(1, 4)
        .map(({ argument }) => argument),
    ).toEqual([0, 1, 2].map((id) => concat(u32(id, 0), zeros(512))));
  });

  test('is set in the order of its side effects, byte for byte', async (context) => {
    const { vm, script } = await scripted(context);
    const requests = [
      ...['KVM_SET_IRQCHIP', 'KVM_SET_IRQCHIP', 'KVM_SET_IRQCHIP'],
      ...['KVM_SET_PIT2', 'KVM_SET_CLOCK'],
    ] as const;
    const { calls } = script(
      ...requests.map((name) => ({ request: ioctlNumbers[name as keyof typeof ioctlNumbers] })),
    );
    await vm.setState(state);
    expect(calls().map(({ request }) => names[request])).toEqual(requests);
    expect(calls().map(({ argument }) => argument)).toEqual([
      ...(state.irqchips ?? []),
      state.pit,
      state.clock,
    ]);
  });

  test('has what the VM has, and no more', async (context) => {
    const { vm, script } = await scripted(context);
    const { calls } = script({ request: ioctlNumbers.KVM_GET_CLOCK });
    expect(await vm.getState({ irqchip: false, pit: false, clock: true })).toEqual({
      clock: zeros(48),
    });
    await vm.setState({});
    expect(calls()).toHaveLength(1);
  });

  test('stops at the first part that is refused, which the error names', async (context) => {
    const { vm, script } = await scripted(context);
    const { calls } = script(
      { request: ioctlNumbers.KVM_SET_IRQCHIP },
      { request: ioctlNumbers.KVM_SET_IRQCHIP, errno: 6 },
    );
    expect(await rejection(vm.setState(state))).toMatchObject({
      request: 'KVM_SET_IRQCHIP',
      code: 'ENXIO',
    });
    expect(calls()).toHaveLength(2);
  });

  const mistakes: readonly (readonly [string, object])[] = [
    ['`irqchips[2]` must be a Uint8Array', { irqchips: [chip(0), chip(1)] }],
    ['`irqchips[0]` must have 520 bytes, not 1', { irqchips: [zeros(1), chip(1), chip(2)] }],
    ['`pit` must have 112 bytes, not 48', { pit: zeros(48) }],
    ['`clock` must be a Uint8Array', { clock: 1 }],
  ];
  test.for(mistakes)('is refused before any call: %s', async ([message, wrong], context) => {
    const { vm, script } = await scripted(context);
    const { calls } = script();
    expect((await rejection(vm.setState({ ...state, ...wrong }))).message).toBe(message);
    expect((await rejection(vm.getState({ ...everything, pit: 1 } as never))).message).toBe(
      '`pit` must be true or false',
    );
    expect(calls()).toEqual([]);
  });
});
