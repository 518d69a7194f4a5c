/**
 * The number that plan says is the number that the host gives: at the limit and one above it, under
 * the rules of every kernel, whichever of the limits it is that binds.
 */
import { describe, expect, test } from 'vitest';
import { bindingLimit } from '../../machines/td-lifecycle/limits.ts';
import { TdctlError } from '../../src/errors/index.ts';
import { vcpuLimits } from '../../src/host/facts.ts';
import { KvmError } from '../../src/host/kvm-error.ts';
import { type HostOffer, readHostOffer } from '../../src/host/offer.ts';
import type { Vm } from '../../src/host/port.ts';
import { openSimulatedHost, type SimulatedHost } from '../../src/host/simulated/index.ts';
import { initVmParams } from '../../src/plan/init-vm.ts';
import { judgeTd, prepareTd } from '../../src/plan/judge/index.ts';
import {
  type HostProfile,
  hostProfiles,
  type KernelAbiName,
  kernelAbis,
} from '../../src/simulator/index.ts';
import { parseTrustDomain } from '../../src/spec/index.ts';

const base: HostProfile = hostProfiles['spr-1.5'];

interface Machine {
  readonly release: '1.5.28' | '2.0.08';
  readonly presentCpus: number;
  readonly kvmMaxVcpus: number;
}

/** Present CPUs below, at and above what the module gives a TD, on two builds of the kernel. */
const machines: readonly Machine[] = (
  [
    { release: '1.5.28', limit: 576 },
    { release: '2.0.08', limit: 1376 },
  ] as const
).flatMap(({ release, limit }) =>
  [limit - 1, limit, limit + 1].flatMap((presentCpus) =>
    [1024, 4096].map((kvmMaxVcpus) => ({ release, presentCpus, kvmMaxVcpus })),
  ),
);

function open(kernelAbi: KernelAbiName, machine: Machine): SimulatedHost | undefined {
  const { release, presentCpus, kvmMaxVcpus } = machine;
  const platform = {
    ...base.platform,
    packages: 1,
    coresPerPackage: presentCpus,
    threadsPerCore: 1,
  };
  try {
    const profile = { ...base, platform, module: { release }, kvmMaxVcpus };
    return openSimulatedHost({ profile, kernelAbi });
  } catch (error) {
    if (error instanceof TdctlError && error.code === 'TDCTL_E_HOST_UNSUPPORTED') return undefined;
    throw error;
  }
}

function specOf(vcpus: number) {
  const text = JSON.stringify({
    apiVersion: 'tdctl.io/v1alpha1',
    kind: 'TrustDomain',
    metadata: { name: 'td' },
    spec: { vcpus, memory: '1GiB', firmware: 'none.fd' },
  });
  return parseTrustDomain(text, { path: 'td.yaml' });
}

/** A TD with all its vCPUs, in the order in which a run asks for it. */
async function build(host: SimulatedHost, offer: HostOffer, vcpus: number): Promise<Vm> {
  const vm = await host.createVm({ type: 'KVM_X86_TDX_VM' });
  await vm.enableCap({ capability: 'KVM_CAP_SPLIT_IRQCHIP', args: [24n] });
  if (offer.facts.kernel.hasMaxVcpusCap) {
    await vm.enableCap({ capability: 'KVM_CAP_MAX_VCPUS', args: [BigInt(vcpus)] });
  }
  await vm.tdxInitVm(initVmParams(specOf(vcpus), offer));
  for (let id = 0; id < vcpus; id++) await vm.createVcpu({ id });
  return vm;
}

const refusal = (work: Promise<unknown>) =>
  work.then(
    () => 'accepted',
    (error: unknown) => {
      if (error instanceof KvmError) return error.code;
      throw error;
    },
  );

const abis = Object.keys(kernelAbis) as KernelAbiName[];

describe.each(abis)('the effective limit of plan, under %s', (abi) => {
  test.each(machines)(
    'module $release, $presentCpus CPUs present, KVM_MAX_VCPUS $kvmMaxVcpus',
    async (machine) => {
      const host = open(abi, machine);
      const moduleLimit = machine.release === '1.5.28' ? 576 : 1376;
      if (host === undefined) {
        // The gate: no TDX, nor KVM at all, where the module gives less than a vCPU for each CPU.
        expect(machine.presentCpus).toBeGreaterThan(moduleLimit);
        expect(kernelAbis[abi].bringUp.limitBelowPresentCpus).toBe('no KVM');
        return;
      }
      const offer = await readHostOffer(host);
      const { value: limit } = bindingLimit(vcpuLimits(offer));

      const { name } = offer.facts;
      expect(judgeTd(prepareTd(specOf(limit)), { name, offer })).toEqual([]);
      const full = await build(host, offer, limit);
      expect(await refusal(full.createVcpu({ id: limit }))).toBe('EINVAL');

      const [above] = judgeTd(prepareTd(specOf(limit + 1)), { name, offer });
      expect(above?.error().message).toContain(`at most ${limit} vCPUs`);
      expect(await refusal(build(host, offer, limit + 1))).toMatch(/^(EINVAL|E2BIG)$/);
      await host.close();
    },
  );
});

test('each limit binds on one of these machines, so that none of them is untried', async () => {
  const binding = new Set<string>();
  for (const abi of abis) {
    for (const machine of machines) {
      const host = open(abi, machine);
      if (host === undefined) continue;
      const offer = await readHostOffer(host);
      binding.add(bindingLimit(vcpuLimits(offer)).name);
      await host.close();
    }
  }
  expect([...binding].sort()).toEqual(['kvm', 'module', 'presentCpus']);
});
