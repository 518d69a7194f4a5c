/** Calls that come to a lock which KVM_RUN, or another call that waits, holds. */
import { describe, expect, test } from 'vitest';
import { hasCommand, makesVcpusFirst } from '../../../src/abi/kvm/kernels/record.ts';
import { type Handle, type Request, StructValue } from '../../../src/simulator/index.ts';
import { abisWhere } from '../abi/abis.ts';
import { Driver } from '../drive.ts';
import { command, memRegion } from '../structs.ts';

const finalize: Request = {
  request: 'KVM_TDX_FINALIZE_VM',
  cmd: command('KVM_TDX_FINALIZE_VM'),
};
const getMpState: Request = { request: 'KVM_GET_MP_STATE', mpState: new StructValue(0) };

/** A TD that is ready to be finalised, with a vCPU that was not initialised and is in KVM_RUN. */
function withRunningVcpu() {
  const driver = new Driver();
  const { vm, vcpus } = driver.builtTd(2);
  const waiting = driver.must(vm, { request: 'KVM_CREATE_VCPU', id: 2 });
  return { driver, vm, vcpus: vcpus as [Handle, Handle], waiting, running: driver.run(waiting) };
}

describe('a command that locks all vCPUs', () => {
  test('waits until the KVM_RUN of another vCPU has ended', async () => {
    const { driver, vm, running } = withRunningVcpu();
    const asked = driver.ask(vm, finalize);
    expect(asked.waits).toBe(true);
    expect(driver.machine.mrtd(vm)).toBeUndefined();
    running.cancel();
    expect(await running.result).toBe('EINTR');
    expect(await asked.result).toBe(0);
    expect(driver.machine.mrtd(vm)).toBeDefined();
  });

  test('on a vCPU waits so too', async () => {
    const { driver, vcpus, running } = withRunningVcpu();
    const asked = driver.ask(vcpus[0], {
      request: 'KVM_TDX_INIT_MEM_REGION',
      cmd: command('KVM_TDX_INIT_MEM_REGION'),
      data: memRegion(),
    });
    expect(asked.waits).toBe(true);
    running.cancel();
    expect(await asked.result).toBe(0);
  });

  test('is EINTR after a fatal signal, and has done nothing', async () => {
    const { driver, vm, running } = withRunningVcpu();
    const asked = driver.ask(vm, finalize);
    asked.cancel();
    expect([await asked.result, driver.refusedBy]).toEqual(['EINTR', 'command.killed']);
    running.cancel();
    await running.result;
    expect(driver.finalizeVm(vm)).toBe(0);
  });

  test('is refused at once for what comes before the locks', async () => {
    const { driver, vm } = withRunningVcpu();
    const wrong = command('KVM_TDX_FINALIZE_VM', { hwError: 1n });
    const asked = driver.ask(vm, { request: 'KVM_TDX_FINALIZE_VM', cmd: wrong });
    expect([asked.waits, await asked.result]).toEqual([false, 'EINVAL']);
  });

  test('reads its command once, before it waits', async () => {
    const { driver, vm, running } = withRunningVcpu();
    const cmd = command('KVM_TDX_FINALIZE_VM');
    let reads = 0;
    const read = () => {
      reads += 1;
      return cmd.value;
    };
    const counted = { read, write: () => true };
    const asked = driver.ask(vm, { request: 'KVM_TDX_FINALIZE_VM', cmd: counted });
    expect(reads).toBe(1);
    running.cancel();
    expect([await asked.result, reads]).toEqual([0, 1]);
  });

  test('keeps the vCPUs that it has got, and kvm->lock, from others meanwhile', async () => {
    const { driver, vm, vcpus, running } = withRunningVcpu();
    const order: string[] = [];
    const note = (name: string) => () => order.push(name);
    const asked = driver.ask(vm, finalize);
    const made = driver.ask(vm, { request: 'KVM_CREATE_VCPU', id: 3 });
    const state = driver.ask(vcpus[0], getMpState);
    const run = driver.run(vcpus[1]);
    const all = [
      asked.result.then(note('FINALIZE_VM')),
      made.result.then(note('CREATE_VCPU')),
      state.result.then(note('GET_MP_STATE')),
    ];
    expect([made.waits, state.waits]).toEqual([true, true]);
    running.cancel();
    await Promise.all(all);
    expect(order[0]).toBe('FINALIZE_VM');
    expect(order.slice(1).sort()).toEqual(['CREATE_VCPU', 'GET_MP_STATE']);
    // The vCPU was entered after the TD had been finalised, and not refused before.
    run.cancel();
    expect([await run.result, driver.refusedBy]).toEqual(['EINTR', 'run.signal']);
  });

  test('goes on where the KVM_RUN has ended with the death of the VM', async () => {
    const driver = new Driver({ guest: { run: async () => 'touches unaccepted memory' as const } });
    const { vm, vcpus } = driver.runnableTd();
    const run = driver.run(vcpus[0] as Handle);
    const asked = driver.ask(vm, finalize);
    expect(asked.waits).toBe(true);
    expect(await run.result).toBe('EIO');
    // What looks at the VM's death has been passed before.
    expect([await asked.result, driver.refusedBy]).toEqual(['EINVAL', 'finalize-vm.wrong-order']);
  });

  test('ends with EINTR where its file is closed', async () => {
    const { driver, vm, vcpus, waiting } = withRunningVcpu();
    const asked = driver.ask(vm, finalize);
    driver.release(vm);
    expect(await asked.result).toBe('EINTR');
    driver.release(waiting, ...vcpus);
  });

  test.each(
    abisWhere(
      (abi) => !makesVcpusFirst(abi) && abi.checks.KVM_TDX_FINALIZE_VM.includes('command.killed'),
    ),
  )('waits under %s', async (kernelAbi) => {
    const driver = new Driver({ kernelAbi });
    const { vm } = driver.builtTd();
    const other = driver.occupySibling(vm);
    const asked = driver.ask(vm, finalize);
    other.cancel();
    expect([asked.waits, await asked.result]).toEqual([true, 0]);
  });
});

describe('a call on a vCPU that is in KVM_RUN', () => {
  test('waits until that has ended', async () => {
    const { driver, waiting, running } = withRunningVcpu();
    const asked = driver.ask(waiting, getMpState);
    expect(asked.waits).toBe(true);
    running.cancel();
    expect(await asked.result).toBe(0);
  });

  test('is EINTR after a fatal signal', async () => {
    const { driver, waiting } = withRunningVcpu();
    const asked = driver.ask(waiting, getMpState);
    asked.cancel();
    expect([await asked.result, driver.refusedBy]).toEqual(['EINTR', 'vcpu.busy']);
  });

  test('gets its turn in the order of the calls', async () => {
    const { driver, waiting, running } = withRunningVcpu();
    const order: number[] = [];
    const calls = [0, 1, 2].map((n) =>
      driver.ask(waiting, getMpState).result.then(() => order.push(n)),
    );
    running.cancel();
    await Promise.all(calls);
    expect(order).toEqual([0, 1, 2]);
  });

  test('of another VM waits for nobody', async () => {
    const { driver } = withRunningVcpu();
    const other = driver.plainVcpu();
    expect(driver.ask(other, getMpState).waits).toBe(false);
  });
});

test.each(abisWhere((abi) => hasCommand(abi, 'KVM_TDX_TERMINATE_VM')))(
  'KVM_TDX_TERMINATE_VM does not wait for a vCPU (%s)',
  async (kernelAbi) => {
    const driver = new Driver({ kernelAbi });
    const { vm } = driver.builtTd();
    driver.occupySibling(vm);
    const cmd = command('KVM_TDX_TERMINATE_VM');
    const asked = driver.ask(vm, { request: 'KVM_TDX_TERMINATE_VM', cmd });
    expect([asked.waits, await asked.result]).toEqual([false, 'EBUSY']);
  },
);

test('a move waits for the vCPUs of both VMs', async () => {
  const driver = new Driver({ kernelAbi: 'rfc-migration-v2' });
  const source = driver.runnableTd();
  const destination = driver.createTd();
  const other = driver.occupySibling(source.vm);
  const cap = new StructValue({ cap: 206, flags: 0, args: [BigInt(source.vm)] });
  const asked = driver.ask(destination, { request: 'KVM_ENABLE_CAP', cap });
  expect(asked.waits).toBe(true);
  other.cancel();
  await asked.result;
  expect(driver.refusedBy).not.toBe('move.killed');
});
