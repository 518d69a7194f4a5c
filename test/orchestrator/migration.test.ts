/** A migration on a simulated host, through the port: two processes, two TDs, one machine. */
import { describe, expect, test } from 'vitest';
import { KvmError } from '../../src/host/kvm-error.ts';
import { openSimulatedHost, type SimulatedHost } from '../../src/host/simulated/index.ts';
import { type MigrationRun, startTd, type TdRun } from '../../src/orchestrator/index.ts';
import { LocalSource, startMigration } from '../../src/orchestrator/migration/index.ts';
import { type FaultRecord, injectorOf } from '../../src/simulator/index.ts';
import { helloPlan, profile } from '../support/hello-plan.ts';

const kernelAbi = 'rfc-migration-v2';

interface Scene {
  readonly host: SimulatedHost;
  readonly source: TdRun;
  readonly other: SimulatedHost;
}

interface SceneOptions {
  readonly kernel?: string;
  readonly runs?: boolean;
  readonly faults?: readonly FaultRecord[];
}

async function runningTd(options: SceneOptions = {}): Promise<Scene> {
  const kernel = options.kernel ?? kernelAbi;
  const faults = injectorOf(options.faults ?? []);
  const host = openSimulatedHost({ profile, kernelAbi: kernel, faults });
  const source = startTd({ host, plan: await helloPlan(kernel), onEvent: () => undefined });
  expect(await source.runnable).toBe(true);
  if (options.runs !== false) {
    source.send({ type: 'td.start' });
    expect(await source.reaches('running')).toBe(true);
  }
  return { host, source, other: host.otherProcess({ mm: 2, cgroup: '/' }) };
}

function migrate(
  { source, other }: Scene,
  onState?: (state: string, run: () => MigrationRun) => void,
) {
  const states: string[] = [];
  const run: MigrationRun = startMigration({
    source: new LocalSource(source),
    host: other,
    onEvent: (event) => {
      if (event.event !== 'state.entered') return;
      states.push(event.state);
      queueMicrotask(() => onState?.(event.state, () => run));
    },
    onDestinationEvent: () => undefined,
  });
  return { run, states };
}

describe('a migration between two processes', () => {
  test('the TD runs in the destination, with its measurement, and the source holds nothing', async () => {
    const scene = await runningTd();
    const { mrtd } = scene.source.context;
    const { run } = migrate(scene);
    expect(await run.ended).toMatchObject({ verdict: 'completed', error: null });
    expect(run.destination?.state).toBe('running');
    expect(run.destination?.context.mrtd).toBe(mrtd);
    expect(scene.source.state).toBe('destroyed');
    expect(scene.host.snapshot()).toMatchObject({
      keySlots: { assigned: 1, leaked: 0 },
      vms: [{ dead: false, td: { state: 'RUNNABLE' } }],
    });
    run.destination?.stop();
    await run.destination?.ended;
    expect(scene.host.snapshot()).toMatchObject({
      vms: [],
      keySlots: { assigned: 0 },
      hostPages: { inUse: 0, leaked: 0 },
    });
  });

  test('a TD that never ran is moved and left at rest (test 1 of tdx_migrate_tests)', async () => {
    const scene = await runningTd({ runs: false });
    const { run } = migrate(scene);
    expect((await run.ended).verdict).toBe('completed');
    expect(run.destination?.state).toBe('runnable');
  });

  test('ten hops, and back into the first source is EIO (test 4 of tdx_migrate_tests)', async () => {
    const scene = await runningTd();
    const firstVm = await scene.host.createVm({ type: 'KVM_X86_TDX_VM' });
    let { source } = scene;
    const old = source.session.handles.get('vm');
    for (let hop = 0; hop < 10; hop++) {
      const other = scene.host.otherProcess({ mm: hop + 10, cgroup: '/' });
      const { run } = migrate({ ...scene, source, other });
      expect((await run.ended).verdict).toBe('completed');
      if (run.destination === undefined) throw new Error('no destination');
      source = run.destination;
    }
    const back = old.moveEncContextFrom({ source: source.session.handles.get('vm') });
    // The fd of the first source is closed by now, which the kernel would not get as far as to see.
    await expect(back).rejects.toMatchObject({ code: 'EBADF' });
    await firstVm.close();
  });

  test.each([
    'revocable.checking',
    'revocable.preparingDestination',
    'revocable.quiescingSource.pausingSource',
    'revocable.quiescingSource.handingOver',
  ])('cancelled in %s: the source runs, and the machine is as before', async (state) => {
    const scene = await runningTd();
    const before = scene.host.snapshot();
    const { run } = migrate(scene, (entered, started) => {
      if (entered === state) started().cancel();
    });
    expect(await run.ended).toMatchObject({
      verdict: 'sourceKept',
      error: { code: 'TDCTL_E_INTERRUPTED' },
    });
    expect(scene.source.state).toBe('running');
    const after = scene.host.snapshot();
    expect(after.vms).toEqual(before.vms);
    expect(after.keySlots).toEqual(before.keySlots);
  });

  test('cancelled after the point of no return: it goes on', async () => {
    const scene = await runningTd();
    const { run } = migrate(scene, (entered, started) => {
      if (entered === 'irrevocable.moving') started().cancel();
    });
    expect((await run.ended).verdict).toBe('completed');
  });

  test('a TD that somebody starts while it is handed over stays, and runs', async () => {
    const scene = await runningTd({ runs: false });
    const { run } = migrate(scene, (entered) => {
      if (entered === 'revocable.preparingDestination') scene.source.send({ type: 'td.start' });
    });
    expect(await run.ended).toMatchObject({
      verdict: 'sourceKept',
      error: { step: 'handingOver', code: 'TDCTL_E_MIGRATION_REFUSED' },
    });
    expect(scene.source.state).toBe('running');
  });

  test('a TD that is gone cannot move', async () => {
    const scene = await runningTd();
    scene.source.stop();
    await scene.source.ended;
    const { run } = migrate(scene);
    expect(await run.ended).toMatchObject({
      verdict: 'sourceKept',
      error: { code: 'TDCTL_E_MIGRATION_REFUSED' },
    });
  });

  test("a destination's cgroup at its limit is refused before the source is touched", async () => {
    const scene = await runningTd();
    scene.host.machine.setCgroupMax({ path: '/full', max: 0 });
    const other = scene.host.otherProcess({ mm: 3, cgroup: '/full' });
    const { run } = migrate({ ...scene, other });
    expect(await run.ended).toMatchObject({
      verdict: 'sourceKept',
      error: { code: 'TDCTL_E_CGROUP_LIMIT' },
    });
    expect(scene.source.state).toBe('running');
  });
});

test('a refused request is kept as data, and the context that holds it survives JSON', async () => {
  const faults = injectorOf([{ at: 'KVM_ENABLE_CAP', errno: 'ENOMEM' }]);
  const host = openSimulatedHost({ profile, kernelAbi, faults });
  const td = startTd({ host, plan: await helloPlan(kernelAbi), onEvent: () => undefined });
  const { error } = await td.ended;
  expect(error).toMatchObject({
    step: 'creatingVm',
    refusal: { request: 'KVM_ENABLE_CAP', capability: 'KVM_CAP_SPLIT_IRQCHIP', errno: 'ENOMEM' },
  });
  expect(JSON.parse(JSON.stringify(td.context))).toEqual(td.context);
});

describe('a source that is stopped under a migration', () => {
  const states = [
    'revocable.checking',
    'revocable.preparingDestination',
    'revocable.quiescingSource.pausingSource',
    'revocable.quiescingSource.handingOver',
    'irrevocable.moving',
    'irrevocable.resumingDestination.arriving',
    'irrevocable.resumingDestination.restoringMemory',
    'irrevocable.resumingDestination.enteringDestination',
    'irrevocable.retiringSource',
    'irrevocable.findingOwner.askingSource',
    'rollingBack.takingDownDestination',
    'rollingBack.probingSource',
    'rollingBack.keepingSource',
    'rollingBack.resumingSource',
  ];

  test.each(
    states.flatMap((state) =>
      (['the move succeeds', 'the move is refused'] as const).map((move) => [state, move] as const),
    ),
  )(
    'in %s, where %s, ends, and nothing of it or of the destination remains',
    async (state, move) => {
      const refusal = {
        at: 'KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM: lock both VMs',
        errno: 'EINTR',
      } as const;
      const scene = await runningTd({ faults: move === 'the move is refused' ? [refusal] : [] });
      let entered = '';
      const { run } = migrate(scene, (now, started) => {
        entered = now;
        if (now === state) {
          scene.source.stop();
          started().cancel();
        }
      });
      await run.ended;
      scene.source.stop();
      run.destination?.stop();
      await Promise.all([scene.source.ended, run.destination?.ended]);
      expect(entered).toMatch(/^(completed|sourceKept|destinationOnly|lost)$/);
      expect(scene.host.snapshot()).toMatchObject({
        vms: [],
        keySlots: { assigned: 0, leaked: 0 },
        hostPages: { inUse: 0, leaked: 0 },
      });
    },
  );

  test('is whole while the kernel moves it, and the TD arrives', async () => {
    const scene = await runningTd();
    const before = scene.host.snapshot().vms.length;
    const seen: string[] = [];
    const { run } = migrate(scene, (state) => {
      if (state === 'irrevocable.moving') scene.source.stop();
      if (state !== 'irrevocable.resumingDestination.arriving') return;
      seen.push(scene.source.state);
      expect(scene.host.snapshot().vms).toHaveLength(before + 1);
    });
    expect(await run.ended).toMatchObject({ verdict: 'completed', error: null });
    expect(seen).toEqual(['migratingOut.stopRequested']);
    expect(await scene.source.ended).toMatchObject({ outcome: 'destroyed' });
    expect(run.destination?.state).toBe('running');
  });

  test('is taken down as soon as a refused move gives it back', async () => {
    const faults = [
      { at: 'KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM: lock both VMs', errno: 'EINTR' },
    ] as const;
    const scene = await runningTd({ faults });
    const { run } = migrate(scene, (state) => {
      if (state === 'irrevocable.moving') scene.source.stop();
    });
    expect(await run.ended).toMatchObject({
      verdict: 'sourceKept',
      error: { refusal: { errno: 'EINTR' } },
    });
    expect(await scene.source.ended).toMatchObject({ outcome: 'destroyed', error: null });
    expect(scene.host.snapshot()).toMatchObject({ vms: [], keySlots: { assigned: 0 } });
  });
});

describe('the port', () => {
  test('asking whether a kernel moves TDs changes nothing, whatever it answers', async () => {
    for (const [kernel, errno] of [
      ['upstream-7.3', 'EINVAL'],
      ['rfc-migration-v1', 'EBADF'],
      ['rfc-migration-v2', 'EBADF'],
    ] as const) {
      const { host, source } = await runningTd({ kernel });
      const { clock: _, ...before } = host.snapshot();
      const vm = source.session.handles.get('vm');
      await expect(vm.moveEncContextFrom({ source: undefined })).rejects.toMatchObject({
        code: errno,
      });
      const { clock: __, ...after } = host.snapshot();
      expect(after).toEqual(before);
    }
  });

  test("the death of a process closes its files, and nobody else's", async () => {
    const { host, other } = await runningTd();
    const vm = await other.createVm({ type: 'KVM_X86_TDX_VM' });
    const before = host.snapshot();
    other.exitProcess();
    const after = host.snapshot();
    expect(after.vms).toHaveLength(before.vms.length - 1);
    expect(after.handles).toBe(before.handles - 2);
    await expect(vm.checkExtension('KVM_CAP_MAX_VCPUS')).rejects.toBeInstanceOf(KvmError);
  });

  test('a guest_memfd that two VMs hold goes with the second of them', async () => {
    const host = openSimulatedHost({ profile, kernelAbi: 'rfc-migration-v1' });
    const [one, two] = [
      await host.createVm({ type: 'KVM_X86_TDX_VM' }),
      await host.otherProcess({ mm: 2, cgroup: '/' }).createVm({ type: 'KVM_X86_TDX_VM' }),
    ];
    const memory = await one.createGuestMemfd({ sizeBytes: 4096n });
    const before = host.snapshot().handles;
    const received = await two.receiveGuestMemfd({ memory });
    expect(host.snapshot().handles).toBe(before);
    await memory.close();
    expect(host.snapshot().handles).toBe(before);
    await received.close();
    expect(host.snapshot().handles).toBe(before - 1);
  });

  test('a request that names no open file of another VM is EBADF, not a crash', async () => {
    const host = openSimulatedHost({ profile, kernelAbi, faults: injectorOf([]) });
    const vm = await host.createVm({ type: 'KVM_X86_TDX_VM' });
    const gone = await host.createVm({ type: 'KVM_X86_TDX_VM' });
    await gone.close();
    await expect(vm.moveEncContextFrom({ source: gone })).rejects.toMatchObject({ code: 'EBADF' });
  });
});
