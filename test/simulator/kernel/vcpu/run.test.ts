import { describe, expect, test } from 'vitest';
import { tellsMapGpaAnswersApart } from '../../../../src/abi/kvm/kernels/record.ts';
import { statusWord } from '../../../../src/abi/tdx/status.ts';
import type { GuestEvent, GuestScript, KernelAbiName } from '../../../../src/simulator/index.ts';
import { recordAll } from '../../../trace/recorder.ts';
import { abisWhere } from '../../abi/abis.ts';
import { Driver } from '../../drive.ts';

const script = (...events: GuestEvent[]): GuestScript => {
  let at = 0;
  return { run: () => events[at++] ?? { reason: 'KVM_EXIT_SHUTDOWN' } };
};
const mapGpa = { reason: 'KVM_EXIT_HYPERCALL', nr: 12, args: [0n, 1n, 0x10n], flags: 1n } as const;

/** A TD that is finalised, and its first vCPU. */
function runnable(guest?: GuestScript, kernelAbi: KernelAbiName = 'upstream-7.3') {
  const driver = new Driver({ kernelAbi, ...(guest === undefined ? {} : { guest }) });
  const { vm, vcpus, guestMemfd } = driver.runnableTd();
  return { driver, vm, vcpu: vcpus[0] as number, guestMemfd };
}

describe.each(abisWhere())('KVM_RUN (%s)', (kernelAbi) => {
  test('another process, and a dead VM: EIO before anything else', async () => {
    const { driver, vcpu } = runnable(undefined, kernelAbi);
    driver.mm = 2;
    expect(await driver.run(vcpu, {}, 1n).result).toBe('EIO');
  });

  test('an argument is EINVAL, before immediate_exit is looked at', async () => {
    const { driver, vcpu } = runnable(undefined, kernelAbi);
    expect(await driver.run(vcpu, { immediateExit: true }, 1n).result).toBe('EINVAL');
  });

  test('a vCPU that waits for its INIT: EINTR with immediate_exit, else it blocks until cancelled', async () => {
    const driver = new Driver({ kernelAbi });
    const vm = driver.initializedTd();
    driver.newVcpu(vm, 0);
    const other = driver.createVcpu(vm, 1) as number;
    expect(await driver.run(other, { immediateExit: true, validRegs: 1n }).result).toBe('EINTR');
    const blocked = driver.run(other);
    blocked.cancel();
    expect(await blocked.result).toBe('EINTR');
  });

  test('synced registers of a TD are EINVAL, before immediate_exit is looked at', async () => {
    const { driver, vcpu } = runnable(undefined, kernelAbi);
    expect(await driver.run(vcpu, { immediateExit: true, validRegs: 1n }).result).toBe('EINVAL');
  });

  test('immediate_exit is EINTR, also before INIT_VCPU and before FINALIZE', async () => {
    const driver = new Driver({ kernelAbi });
    const vm = driver.initializedTd();
    const vcpu = driver.createVcpu(vm, 0) as number;
    expect(await driver.run(vcpu, { immediateExit: true }).result).toBe('EINTR');
    expect(await driver.run(vcpu).result).toBe('EINVAL');
    driver.setCpuid2(vcpu);
    driver.initVcpu(vcpu);
    expect(await driver.run(vcpu).result).toBe('EINVAL');
    driver.finalizeVm(vm);
    const running = driver.run(vcpu);
    running.cancel();
    expect(await running.result).toBe('EINTR');
  });

  test('a TD runs until it is cancelled: EINTR with KVM_EXIT_INTR', async () => {
    const { driver, vcpu } = runnable(undefined, kernelAbi);
    const running = driver.run(vcpu);
    running.cancel();
    running.cancel();
    expect(await running.result).toBe('EINTR');
    expect(running.exits).toEqual([{ reason: 'KVM_EXIT_INTR' }]);
  });

  test('what user space answered to MapGPA: 0, EAGAIN, EINVAL, or EINVAL where others are refused', async () => {
    const answers = async (result: bigint) => {
      const { driver, vcpu } = runnable(script(mapGpa), kernelAbi);
      expect(await driver.run(vcpu).result).toBe(0);
      return driver.run(vcpu, { result }).result;
    };
    for (const result of [0n, 11n, 22n]) expect(await answers(result)).toBe(0);
    const abi = new Driver({ kernelAbi }).machine.kernelAbi;
    expect(await answers(5n)).toBe(tellsMapGpaAnswersApart(abi) ? 'EINVAL' : 0);
  });
});

describe('KVM_RUN: the guest', () => {
  test('a script gives the exits, in the caller’s turn or later', async () => {
    const later: GuestScript = {
      run: async () => ({ reason: 'KVM_EXIT_SHUTDOWN' }),
    };
    for (const guest of [script({ reason: 'KVM_EXIT_SHUTDOWN' }), later]) {
      const { driver, vcpu } = runnable(guest);
      const running = driver.run(vcpu);
      expect(await running.result).toBe(0);
      expect(running.exits).toEqual([{ reason: 'KVM_EXIT_SHUTDOWN' }]);
    }
  });

  test('a memory fault is the one exit with an errno', async () => {
    const fault = {
      reason: 'KVM_EXIT_MEMORY_FAULT',
      errno: 'EFAULT',
      flags: 8n,
      gpa: 0x1000n,
      size: 4096n,
    } as const;
    const { driver, vcpu } = runnable(script(fault));
    const running = driver.run(vcpu);
    expect(await running.result).toBe('EFAULT');
    expect(running.exits).toEqual([fault]);
  });

  test('unaccepted memory kills the VM: EIO, and every vCPU that runs ends', async () => {
    const touches: GuestScript = {
      run: ({ vcpuId }) => (vcpuId === 0 ? 'touches unaccepted memory' : new Promise(() => {})),
    };
    const driver = new Driver({ guest: touches });
    const { vm, vcpus } = driver.builtTd(2);
    driver.finalizeVm(vm);
    const other = driver.run(vcpus[1] as number);
    expect(await driver.run(vcpus[0] as number).result).toBe('EIO');
    expect(await other.result).toBe('EIO');
    expect(driver.machine.snapshot().vms[0]).toMatchObject({ dead: true, bugged: false });
  });

  test('a cancelled run tells its script, and an exit that comes too late is dropped', async () => {
    let aborted = false;
    let exit: (event: GuestEvent) => void = () => {};
    const guest: GuestScript = {
      run: (_vcpu, cancelled) => {
        cancelled.addEventListener('abort', () => {
          aborted = true;
        });
        return new Promise((resolve) => {
          exit = resolve;
        });
      },
    };
    const { driver, vcpu } = runnable(guest);
    const running = driver.run(vcpu);
    running.cancel();
    exit({ reason: 'KVM_EXIT_SHUTDOWN' });
    expect(await running.result).toBe('EINTR');
    expect([aborted, running.exits]).toEqual([true, [{ reason: 'KVM_EXIT_INTR' }]]);
  });

  test('a pending signal is EINTR; a script is not asked', async () => {
    const { driver, vcpu } = runnable(script({ reason: 'KVM_EXIT_SHUTDOWN' }));
    driver.signal = 'ordinary';
    expect(await driver.run(vcpu).result).toBe('EINTR');
  });
});

describe('KVM_RUN: other calls meanwhile', () => {
  test('a second KVM_RUN waits for vcpu->mutex, and may be cancelled while it waits', async () => {
    const { driver, vcpu } = runnable();
    const [first, second, third] = [driver.run(vcpu), driver.run(vcpu), driver.run(vcpu)];
    second.cancel();
    expect(await second.result).toBe('EINTR');
    first.cancel();
    expect(await first.result).toBe('EINTR');
    third.cancel();
    expect(await third.result).toBe('EINTR');
  });

  test('one that waits looks at nothing yet, not even its argument, and ends without an exit', async () => {
    const { driver, vcpu } = runnable();
    const first = driver.run(vcpu);
    const [cancelled, refused] = [driver.run(vcpu, {}, 1n), driver.run(vcpu, {}, 1n)];
    cancelled.cancel();
    expect([await cancelled.result, cancelled.exits]).toEqual(['EINTR', []]);
    first.cancel();
    expect(await refused.result).toBe('EINVAL');
  });

  test('an ioctl of that vCPU would wait; here it is EINTR', async () => {
    const { driver, vcpu } = runnable();
    const running = driver.run(vcpu);
    expect(driver.setCpuid2(vcpu)).toBe('EINTR');
    running.cancel();
    await running.result;
    expect(driver.setCpuid2(vcpu)).toBe(0);
  });

  test('closing the vCPU ends its runs, and what was held by it goes', async () => {
    const { driver, vm, vcpu, guestMemfd } = runnable();
    const runs = [driver.run(vcpu), driver.run(vcpu)];
    driver.release(vm, guestMemfd, vcpu);
    expect(await Promise.all(runs.map((run) => run.result))).toEqual(['EINTR', 'EINTR']);
    expect(driver.machine.snapshot().vms).toEqual([]);
  });

  test('an fd of another kind is ENOTTY, a closed one EBADF', async () => {
    const { driver, vm } = runnable();
    expect(await driver.run(vm).result).toBe('ENOTTY');
    expect(await driver.run(9999).result).toBe('EBADF');
  });

  test('a TD epoch that is busy is entered again, until a signal', async () => {
    const { driver, vcpu } = runnable(script({ reason: 'KVM_EXIT_SHUTDOWN' }));
    const busy = statusWord('TDX_OPERAND_BUSY', 'TD_EPOCH');
    driver.failLeaf('TDH.VP.ENTER', (nth) => (nth < 3 ? busy : undefined));
    const lines = driver.record();
    expect(await driver.run(vcpu).result).toBe(0);
    expect(lines.filter((line) => line === 'TDH.VP.ENTER')).toHaveLength(4);
    driver.failLeaf('TDH.VP.ENTER', busy);
    expect(await driver.run(vcpu).result).toBe('EINTR');
  });

  test('a status of TDH.VP.ENTER that KVM does not handle is an internal error, and KVM_RUN is 0', async () => {
    const { driver, vcpu } = runnable(script({ reason: 'KVM_EXIT_SHUTDOWN' }));
    const status = statusWord('TDX_VCPU_STATE_INCORRECT');
    driver.failLeaf('TDH.VP.ENTER', status);
    const run = driver.run(vcpu);
    expect(await run.result).toBe(0);
    expect(run.exits.at(-1)).toEqual({
      reason: 'KVM_EXIT_INTERNAL_ERROR',
      suberror: 4,
      data: [status, 0n],
    });
  });

  test('the trace shows it as it ends', async () => {
    const { driver, vcpu } = runnable(script({ reason: 'KVM_EXIT_SHUTDOWN' }));
    const records = recordAll(driver.machine);
    await driver.run(vcpu).result;
    expect(records).toMatchObject([
      { kind: 'seamcall', leaf: 'TDH.VP.ENTER', status: '0x0' },
      { kind: 'open' },
      { kind: 'call', request: 'KVM_RUN', args: { exit: { reason: 'KVM_EXIT_SHUTDOWN' } } },
    ]);
  });
});
