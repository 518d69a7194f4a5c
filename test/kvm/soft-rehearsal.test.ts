/** A rehearsal on `soft`: real guests move between real VMs, and tell what they miss. */
import { expect, test } from 'vitest';
import type { VcpuState } from '../../native/index.ts';
import { mpStates } from '../../src/abi/kvm/mp-states.ts';
import type { GuestState } from '../../src/host/guest.ts';
import { openSoftHost } from '../../src/host/soft/soft-host.ts';
import {
  type RehearsalHooks,
  randomCases,
  rehearseSimulated,
  singleFaults,
  sweep,
} from '../../src/rehearsal/index.ts';
import { words } from '../rehearsal/play.ts';
import { cli } from '../support/cli.ts';
import { projectRoot } from '../support/tdctl.ts';
import { held, place, playSoft, skipWithoutKvm, softScenario } from './soft-rehearsal-support.ts';

const nothing = { files: [], threads: [], mapped: [] };

test('three moves lose nothing, and each blackout is measured with its parts', async (context) => {
  skipWithoutKvm(context);
  const args = ['rehearse', 'examples/hello.yaml', '--host', 'soft', '--hops', '3'];
  const kernel = ['--kernel', place.kernelAbi];
  const { exitCode, stdout } = await cli([...args, ...kernel, '-o', 'json'], { cwd: projectRoot });
  expect(exitCode).toBe(0);
  const { host, run } = JSON.parse(stdout);
  expect(host).toMatchObject({ simulated: true });
  expect(run).toMatchObject({ violations: [], losses: [] });
  expect(run.blackouts).toHaveLength(3);
  for (const { ms, parts, brownoutMs } of run.blackouts) {
    expect(ms).toBeGreaterThan(0);
    expect(brownoutMs).toBeGreaterThan(0);
    expect(parts.map(({ step }: { step: string }) => step)).toEqual([
      ...['pausingSource', 'handingOver', 'readingState', 'writingState', 'moving'],
      ...['arriving', 'restoringMemory', 'enteringDestination'],
    ]);
  }
});

test('no fault that is met breaks an invariant', async (context) => {
  skipWithoutKvm(context);
  const scenario = await softScenario({ vcpus: 1 });
  const { trace } = await rehearseSimulated(place, { scenario, traced: true });
  const cases = randomCases(singleFaults(trace), { seed: 7, runs: 8 });
  const found = await sweep({ place, scenario, cases });
  expect(found.played).toBe(8);
  expect(found.violations).toEqual([]);
  expect(held()).toEqual(nothing);
});

test.for([
  'KVM_CREATE_VCPU#2=tdctl-dies',
  'KVM_CREATE_VCPU#3=tdctl-dies',
  'KVM_CREATE_VCPU#3=source-dies',
  'KVM_ENABLE_CAP#6=source-dies',
  'KVM_CREATE_VCPU#4=destination-dies',
  'KVM_ENABLE_CAP#6=destination-dies',
  'KVM_SET_MEMORY_ATTRIBUTES#3=destination-dies',
])('%s leaves no file, no vCPU thread and no memory', async (death, context) => {
  skipWithoutKvm(context);
  const run = await playSoft({ faults: [death] });
  expect(run.unmet).toEqual([]);
  expect(run.violations).toEqual([]);
  expect(held()).toEqual(nothing);
});

test('a VM that the kernel was making while its process died goes with it', async (context) => {
  skipWithoutKvm(context);
  const host = await openSoftHost(place);
  const making = host.createVm({ type: 'KVM_X86_TDX_VM' });
  await Promise.resolve();
  host.exitProcess();
  await making.catch(() => undefined);
  await expect.poll(() => held().files).toEqual(['/dev/kvm']);
  await host.close();
  expect(held()).toEqual(nothing);
});

/** Changes a vCPU of the source between its pause and the moment when its state is read. */
function spoiling(change: (vcpu: VcpuState) => VcpuState): RehearsalHooks {
  let source: Parameters<NonNullable<RehearsalHooks['onMigrationState']>>[0]['run'];
  return {
    onMigrationState: (td) => {
      source ??= td.run;
    },
    aroundStep: async (at, run) => {
      const guest = at === 'readingState' && source?.session.handles.get('guest');
      if (guest) await guest.setState(withVcpus(await guest.getState(), change));
      return run();
    },
  };
}

function withVcpus(state: GuestState, change: (vcpu: VcpuState) => VcpuState): GuestState {
  const [first, last] = state.vcpus as [VcpuState, VcpuState];
  return { ...state, vcpus: [first, change(last)] };
}

test('a register that is lost on the way is told by the guest', async (context) => {
  skipWithoutKvm(context);
  const hooks = spoiling((vcpu) => ({ ...vcpu, xsave: withoutXmm(vcpu.xsave) }));
  const run = await playSoft({ hooks });
  expect(words(run)).toEqual(['done', 'completed', 'done']);
  const lost = run.violations.filter(({ detail }) => detail === 'hello: vCPU 1 lost xmm5');
  expect(lost).toMatchObject([{ invariant: 'guest-keeps-all', after: 'migrate hello' }]);
});

/** XMM5 in the legacy region of XSAVE, and its part of the header (Intel SDM vol. 1, 13.4). */
function withoutXmm(xsave: Uint8Array): Uint8Array {
  const spoilt = Uint8Array.from(xsave);
  spoilt.fill(0, 160 + 5 * 16, 160 + 6 * 16);
  return spoilt;
}

test('a vCPU that does not go on after the move is missed, though the other one counts', async (context) => {
  skipWithoutKvm(context);
  const hooks = spoiling((vcpu) => ({ ...vcpu, mpState: mpStates.UNINITIALIZED }));
  const run = await playSoft({ hooks });
  expect(run.violations).toMatchObject([
    {
      invariant: 'guest-goes-on',
      detail: 'hello runs, and vCPU 1 of its guest counts no more',
      after: 'migrate hello',
    },
  ]);
  expect(held()).toEqual(nothing);
});
