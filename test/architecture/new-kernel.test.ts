/** Whoever adds a kernel writes one record: all that speaks of kernels follows it. */
import { describe, expect, test } from 'vitest';
import { checkedRequests } from '../../src/abi/kvm/checks/index.ts';
import { without } from '../../src/abi/kvm/kernels/orders.ts';
import { explainRequest } from '../../src/diagnosis/explain/requests/explain-refusal.ts';
import { checkPages } from '../../src/diagnosis/kernels/check-pages.ts';
import { type InitVmGround, preflightInitVm } from '../../src/plan/preflight.ts';
import { type KernelAbi, kernelAbis } from '../../src/simulator/index.ts';
import { reachable, show } from '../simulator/abi/conformance/show.ts';
import { Driver } from '../simulator/drive.ts';
import { addressSizes, cpuidOf, initVmStruct } from '../simulator/structs.ts';
import { judged, recorded } from '../trace/lint/judged.ts';

const upstream: KernelAbi = kernelAbis['upstream-7.3'];
const dropped = 'init-vm.cpuid-unmatched';

/** It takes CPUID entries that the module does not let anybody configure, and differs in nothing else. */
const lenient: KernelAbi = {
  ...upstream,
  name: 'lenient',
  checks: {
    ...upstream.checks,
    KVM_TDX_INIT_VM: without(upstream.checks.KVM_TDX_INIT_VM, dropped),
  },
};

const strayEntry = { ...addressSizes, function: 0x77, flags: 1, eax: 0 };
const askWithStrayEntry = (driver: Driver) =>
  driver.initVm(driver.createTd(), { cpuid: cpuidOf(addressSizes, strayEntry) });

describe('a kernel record that differs in one check', () => {
  test('is what the simulator answers by', () => {
    expect(askWithStrayEntry(new Driver({ kernelAbi: upstream }))).toBe('EINVAL');
    expect(askWithStrayEntry(new Driver({ kernelAbi: lenient }))).toBe(0);
  });

  test('is what the linter judges by', async () => {
    const refused = await recorded(askWithStrayEntry, { kernelAbi: upstream });
    const taken = await recorded(askWithStrayEntry, { kernelAbi: lenient });
    const idsUnder = async (records: typeof taken, kernel: KernelAbi) =>
      (await judged(records, { kernel })).findings.map(({ id }) => id);
    expect(await idsUnder(refused, upstream)).toContain(dropped);
    expect(await idsUnder(taken, upstream)).toContain(dropped);
    expect(await idsUnder(taken, lenient)).not.toContain(dropped);
  });

  test('is what explain counts by', () => {
    const asked = { request: 'KVM_TDX_INIT_VM', errno: 'EINVAL', hwStatus: 0n };
    const namesUnder = (kernel: KernelAbi) =>
      explainRequest({ ...asked, kernel }).checks.map(({ name }) => name);
    expect(namesUnder(upstream)).toContain(dropped);
    expect(namesUnder(lenient)).toEqual(namesUnder(upstream).filter((name) => name !== dropped));
    const stepUnder = (kernel: KernelAbi) =>
      explainRequest({ ...asked, errno: 'ENOSPC', kernel }).checks.find(
        ({ name }) => name === 'init-vm.no-key-slot',
      )?.step ?? 0;
    expect(stepUnder(lenient)).toBe(stepUnder(upstream) - 1);
  });

  test('is what the pre-flight of a plan predicts by', () => {
    const params = { ...initVmStruct(), maxVcpus: 8, cpuid: [addressSizes, strayEntry] };
    const ground: Omit<InitVmGround, 'checks'> = {
      capabilities: {
        supportedAttributes: ~0n,
        supportedXfam: 0x3n,
        configurableCpuid: [addressSizes],
      },
      supportedCpuid: [],
      guestAddressWidths: [48],
      tscKhz: 1_000_000,
      maxVcpus: 8,
      kvmMaxVcpus: 1024,
      moduleMaxVcpus: undefined,
      moduleRelease: undefined,
      freeKeySlots: 1,
      cgroupRoom: 1,
    };
    const checksUnder = ({ checks }: KernelAbi) =>
      preflightInitVm(params, { ...ground, checks: checks.KVM_TDX_INIT_VM }).map(
        ({ check }) => check,
      );
    expect(checksUnder(upstream)).toContain(dropped);
    expect(checksUnder(lenient)).not.toContain(dropped);
  });

  test('is a column of docs/kernel-checks', () => {
    const page = checkPages([upstream, lenient]).get('tdx-commands.md');
    expect(page).toMatch(/^\| place in the order \| upstream-7\.3 \| lenient \|$/m);
    expect(page).toMatch(new RegExp(`^\\| \`${dropped}\` \\| \\d+ \\| {2}\\|$`, 'm'));
  });

  test.each(checkedRequests)(
    'conforms: each of its checks of %s refuses by itself',
    async (request) => {
      for (const check of reachable(lenient, request)) await show(lenient, request, check);
    },
  );
});
