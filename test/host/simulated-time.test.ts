import { expect, test } from 'vitest';
import type { Host } from '../../src/host/port.ts';
import { openSimulatedHost } from '../../src/host/simulated/index.ts';

test('a sim host tells its own time through the port: it moves with requests only', async () => {
  const host: Host = openSimulatedHost();
  const booted = host.simulatedTimeNs?.() ?? 0n;
  expect(booted).toBeGreaterThan(1_000_000_000n);
  expect(host.simulatedTimeNs?.()).toBe(booted);
  await host.createVm({ type: 'KVM_X86_TDX_VM' });
  expect(host.simulatedTimeNs?.()).toBe(booted + 500_000n);
});
