/** KVM_TDX_GET_CPUID leaves out calls of TDH.MNG.RD whose answers are known: nothing else may show it. */
import { expect, test } from 'vitest';
import { readHostOffer } from '../../src/host/offer.ts';
import { openSimulatedHost, type SimulatedHost } from '../../src/host/simulated/index.ts';
import { type FaultRecord, injectorOf } from '../../src/simulator/index.ts';

/** What the CPUID of a new TD is, and how much simulated time it took to ask. */
async function askedOf(host: SimulatedHost) {
  const { capabilities } = await readHostOffer(host);
  const vm = await host.createVm({ type: 'KVM_X86_TDX_VM' });
  await vm.enableCap({ capability: 'KVM_CAP_SPLIT_IRQCHIP', args: [24n] });
  const identity = new Uint8Array(48);
  await vm.tdxInitVm({
    attributes: capabilities.supportedAttributes,
    xfam: capabilities.supportedXfam,
    maxVcpus: 1,
    mrConfigId: identity,
    mrOwner: identity,
    mrOwnerConfig: identity,
    cpuid: [{ function: 0x8000_0008, index: 0, flags: 0, eax: 48 << 16, ebx: 0, ecx: 0, edx: 0 }],
  });
  const vcpu = await vm.createVcpu({ id: 0 });
  const before = host.simulatedTimeNs();
  const entries = await vcpu.tdxGetCpuid();
  const ns = host.simulatedTimeNs() - before;
  await vcpu.close();
  await vm.close();
  return { entries, ns };
}

function disturbed(...records: FaultRecord[]): SimulatedHost {
  return openSimulatedHost({ faults: injectorOf(records) });
}

test('one TD after the other is told the same in the same time, whether somebody traces or not', async () => {
  const host = openSimulatedHost();
  const first = await askedOf(host);
  expect(await askedOf(host)).toEqual(first);
  let reads = 0;
  const stop = host.onCall((event) => {
    if (event.kind === 'seamcall' && event.leaf === 'TDH.MNG.RD') reads++;
  });
  expect(await askedOf(host)).toEqual(first);
  stop();
  expect(reads).toBeGreaterThan(2 * first.entries.length);
  expect(await askedOf(openSimulatedHost())).toEqual(first);
});

test('a fault hits the call that it names, and what it makes of the answer is told of no other TD', async () => {
  const whole = await askedOf(openSimulatedHost());
  // Two calls belong to KVM_TDX_INIT_VM. The 21st of the others is the first half of a leaf.
  const fault = { at: 'TDH.MNG.RD', answer: 'TDX_OPERAND_BUSY', nth: 23 } as const;
  const host = disturbed(fault);
  const other = await askedOf(host);
  expect(other.entries).not.toEqual(whole.entries);
  expect(await askedOf(host)).toEqual(whole);
  expect(await askedOf(openSimulatedHost())).toEqual(whole);
});
