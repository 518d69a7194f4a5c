import { describe, expect, test } from 'vitest';
import { observeHost, unobserved } from '../../src/host/observed.ts';
import type { RequestRecord } from '../../src/host/observer.ts';
import { openSimulatedHost } from '../../src/host/simulated/index.ts';

function observing(kernelAbi = 'upstream-7.3') {
  const simulated = openSimulatedHost({ kernelAbi });
  const records: RequestRecord[] = [];
  const host = observeHost(simulated, {
    now: () => Number(simulated.simulatedTimeNs()) / 1e6,
    onAnswer: (record) => records.push(record),
  });
  return { simulated, host, records };
}

describe('a host that is observed', () => {
  test('reports each request with its capability and its answer', async () => {
    const { host, records } = observing();
    const vm = await host.createVm({ type: 'KVM_X86_TDX_VM' });
    await vm.checkExtension('KVM_CAP_MAX_VCPUS');
    await expect(vm.moveEncContextFrom({ source: undefined })).rejects.toThrow('EINVAL');
    expect(records.map(({ durationMs: _, ...record }) => record)).toEqual([
      { request: 'KVM_CREATE_VM', capability: undefined, answer: 'ok' },
      { request: 'KVM_CHECK_EXTENSION', capability: 'KVM_CAP_MAX_VCPUS', answer: 'ok' },
      {
        request: 'KVM_ENABLE_CAP',
        capability: 'KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM',
        answer: 'EINVAL',
      },
    ]);
  });

  test('times requests by the clock of the caller', async () => {
    const { host, simulated, records } = observing();
    const before = simulated.simulatedTimeNs();
    await host.createVm({ type: 'KVM_X86_TDX_VM' });
    const tookMs = Number(simulated.simulatedTimeNs() - before) / 1e6;
    expect(tookMs).toBeGreaterThan(0);
    expect(records[0]?.durationMs).toBeCloseTo(tookMs, 6);
  });

  test('moves a TD between VMs that are both observed', async () => {
    const { host, records } = observing('rfc-migration-v2');
    const [source, destination] = [
      await host.createVm({ type: 'KVM_X86_TDX_VM' }),
      await host.createVm({ type: 'KVM_X86_TDX_VM' }),
    ];
    // The kernel looks at the states of both, so it has found the VM behind the observed one.
    await expect(destination.moveEncContextFrom({ source })).rejects.toThrow(
      'KVM_ENABLE_CAP(KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM): E',
    );
    expect(records.at(-1)?.answer).not.toBe('EBADF');
  });

  test('gives the VM of the host itself to whoever must know it', async () => {
    const { host, simulated } = observing();
    const vm = await host.createVm({ type: 'KVM_X86_TDX_VM' });
    expect(simulated.vmId(unobserved(vm))).toBeDefined();
    expect(unobserved(unobserved(vm))).toBe(unobserved(vm));
  });
});
