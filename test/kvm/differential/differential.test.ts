/**
 * The simulated kernel against the real one: random sequences of what plain KVM can do, the same
 * answer at every step. A difference is reduced to the shortest sequence that shows it.
 */
import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { fc } from '@fast-check/vitest';
import { describe, expect, type TestContext, test } from 'vitest';
import { type Addon, loadAddon, type System } from '../../../native/index.ts';
import { capabilities } from '../../../src/abi/kvm/capabilities.ts';
import { readThisHostProfile } from '../../../src/host/simulated/this-host-profile.ts';
import { createSimulatedHost, type HostProfile } from '../../../src/simulator/index.ts';
import { type Operation, operation } from './operations.ts';
import { RealKernel } from './real.ts';
import { SimulatedKernel } from './simulated.ts';

const leastSteps = 10_000;

function addonOrSkip(context: TestContext): Addon {
  if (!existsSync('/dev/kvm')) context.skip('/dev/kvm is not here');
  const native = loadAddon();
  if (!native.available) return context.skip('the native addon is not built');
  return native.addon;
}

function cpuinfo(): string {
  return readFileSync('/proc/cpuinfo', 'utf8');
}

/** This host as it is: no TDX module, so that types and TDX commands are refused as here. */
async function thisHost(addon: Addon): Promise<HostProfile> {
  const system = await addon.System.open();
  try {
    const profile = await readThisHostProfile({ addon, system });
    const platform = { ...profile.platform, pageModificationLog: cpuinfo().includes(' pml') };
    // The model goes by its own CPUID, which is not this host's.
    const xsave2 = await system.kvmCheckExtension(capabilities.KVM_CAP_XSAVE2);
    // A kernel that is built without private memory shows no attributes of it to anybody.
    const attributes = await system.kvmCheckExtension(capabilities.KVM_CAP_MEMORY_ATTRIBUTES);
    const recordedCapabilities = {
      ...profile.recordedCapabilities,
      KVM_CAP_XSAVE2: xsave2,
      ...(attributes === 0 ? { KVM_CAP_MEMORY_ATTRIBUTES: 0 } : {}),
      ...((await vmTellsItsBusCycle(system)) ? {} : { KVM_CAP_X86_APIC_BUS_CYCLES_NS: 1 }),
    };
    return { ...profile, platform, recordedCapabilities, module: undefined };
  } finally {
    await system.close();
  }
}

/** Linux 7.3 tells what was set for a VM, 6.18 still the default. */
async function vmTellsItsBusCycle(system: System): Promise<boolean> {
  const capability = capabilities.KVM_CAP_X86_APIC_BUS_CYCLES_NS;
  const vm = await system.kvmCreateVm(0);
  try {
    await vm.kvmCreateIrqchip();
    await vm.kvmEnableCap({ capability, flags: 0, args: [2n] });
    return (await vm.kvmCheckExtension(capability)) === 2;
  } finally {
    await vm.close();
  }
}

async function compare(operations: readonly Operation[], addon: Addon, profile: HostProfile) {
  const real = await RealKernel.open(addon);
  const simulated = new SimulatedKernel(profile);
  try {
    for (const [step, asked] of operations.entries()) {
      const answers = {
        real: await real.ask(asked),
        simulated: await simulated.ask(asked),
      };
      expect(answers.simulated, `step ${step}: ${describeOperation(asked)}`).toBe(answers.real);
    }
  } finally {
    await real.closeAll();
    await simulated.closeAll();
  }
}

function describeOperation(asked: Operation): string {
  return JSON.stringify(asked, (_, value) => (typeof value === 'bigint' ? `${value}n` : value));
}

describe('the simulated kernel against /dev/kvm', () => {
  test('answers the same at every step of random sequences', async (context) => {
    const addon = addonOrSkip(context);
    const profile = await thisHost(addon);
    expect(createSimulatedHost({ profile }).bringUp.outcome).toBe('no-tdx');
    let steps = 0;
    let sequences = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 60, size: 'max' }), async (operations) => {
        await compare(operations, addon, profile);
        steps += operations.length;
        sequences += 1;
      }),
      { numRuns: 450 },
    );
    expect(steps).toBeGreaterThanOrEqual(leastSteps);
    const vendor = /vendor_id\s*: (\S+)/.exec(cpuinfo())?.[1];
    console.log(
      `differential: ${steps} steps in ${sequences} sequences, 0 differences (Linux ${release()}, ${vendor})`,
    );
  });
});
