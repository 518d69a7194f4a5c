/** KVM_RUN. */
import {
  type GuestEvent,
  type Handle,
  type RunPageInput,
  StructValue,
} from '../../../../src/simulator/index.ts';
import type { Driver, Result } from '../../drive.ts';
import { page, ramPages } from '../../structs.ts';
import type { Call, Case, ConformanceTable } from './case.ts';
import { other } from './statuses.ts';
import { fullOnceBuilt } from './tdx-vcpu.ts';

interface RunnableVcpu {
  readonly vm: Handle;
  readonly vcpu: Handle;
}

function runnable(driver: Driver): RunnableVcpu {
  const { vm, vcpus } = driver.runnableTd();
  return { vm, vcpu: vcpus[0] ?? vm };
}

/** KVM_RUN of a vCPU that would run, after something was arranged. */
const runWhen =
  (
    arrange: (driver: Driver, td: RunnableVcpu) => void,
    input: Partial<RunPageInput> = {},
    arg = 0n,
  ): Call =>
  (driver) => {
    const td = runnable(driver);
    arrange(driver, td);
    return driver.run(td.vcpu, input, arg).result;
  };

const nothing = () => {};

/** Runs a vCPU whose guest ends the run. */
const guestDoes = (event: GuestEvent): Case => ({ provoke: runWhen(nothing), guest: () => event });

const faultAt = (errno: 'EFAULT' | 'EHWPOISON') =>
  guestDoes({ reason: 'KVM_EXIT_MEMORY_FAULT', errno, flags: 8n, gpa: 0x1000n, size: 4096n });

const mapGpa = { reason: 'KVM_EXIT_HYPERCALL', nr: 12, args: [0n, 1n, 0x10n], flags: 1n } as const;

/** A vCPU that is not the boot vCPU, before KVM_TDX_INIT_VCPU. */
function waiting(driver: Driver): Handle {
  const vm = driver.initializedTd();
  driver.newVcpu(vm, 0);
  return driver.must(vm, { request: 'KVM_CREATE_VCPU', id: 1 });
}

async function cancelled(run: ReturnType<Driver['run']>): Promise<Result> {
  run.cancel();
  return await run.result;
}

export const running: ConformanceTable = {
  KVM_RUN: {
    handle: (driver) => runnable(driver).vcpu,
    cases: {
      'vm.other-process': runWhen((driver) => {
        driver.mm = 2;
      }),
      'vm.dead': (driver) => {
        const { vm, vcpus } = driver.builtTd();
        driver.failLeaf('TDH.MR.FINALIZE', other);
        driver.finalizeVm(vm);
        return driver.run(vcpus[0] ?? vm).result;
      },
      'vcpu.busy': (driver) => {
        const { vcpu } = runnable(driver);
        driver.occupy(vcpu);
        return cancelled(driver.run(vcpu));
      },
      'argument.not-zero': runWhen(nothing, {}, 1n),
      'run.waits-for-init': [
        {
          title: 'immediate_exit',
          provoke: (driver) => driver.run(waiting(driver), { immediateExit: true }).result,
        },
        {
          title: 'a signal waits',
          provoke: (driver) => {
            const vcpu = waiting(driver);
            driver.signal = 'ordinary';
            return driver.run(vcpu).result;
          },
        },
        {
          title: 'a signal comes',
          provoke: (driver) => cancelled(driver.run(waiting(driver))),
        },
      ],
      'run.sync-regs': [
        { title: 'any of a TD', provoke: runWhen(nothing, { validRegs: 1n }) },
        { title: 'dirty ones of a TD', provoke: runWhen(nothing, { dirtyRegs: 1n }) },
        ...[{ validRegs: 8n }, { dirtyRegs: 1n << 63n }].map((input) => ({
          title: 'unknown ones',
          provoke: (driver: Driver) => driver.run(driver.plainVcpu(), input).result,
        })),
      ],
      'run.dirty-regs': (driver) => {
        const registers = new Uint8Array(520);
        // The flags of the events.
        registers[456 + 20] = 0xff;
        return driver.run(driver.plainVcpu(), { dirtyRegs: 4n }, 0n, registers).result;
      },
      'run.cr8': (driver) => driver.run(driver.plainVcpu(), { cr8: 16n }).result,
      'run.map-gpa-answer': {
        provoke: async (driver) => {
          const { vcpu } = runnable(driver);
          await driver.run(vcpu).result;
          return driver.run(vcpu, { result: 5n }).result;
        },
        guest: () => mapGpa,
      },
      'run.immediate-exit': runWhen(nothing, { immediateExit: true }),
      'run.waits-for-sipi': runWhen((driver, { vcpu }) => {
        driver.must(vcpu, { request: 'KVM_SET_MP_STATE', mpState: new StructValue(4) });
      }),
      'run.vcpu-not-initialised': (driver) => {
        const vm = driver.initializedTd();
        return driver.run(driver.must(vm, { request: 'KVM_CREATE_VCPU', id: 0 })).result;
      },
      'run.td-not-finalised': (driver) => {
        const { vm, vcpus } = driver.builtTd();
        return driver.run(vcpus[0] ?? vm).result;
      },
      'run.vm-died': {
        provoke: async (driver) => {
          const { vm, vcpus } = driver.builtTd(2);
          driver.finalizeVm(vm);
          const [first = vm, second = vm] = vcpus;
          driver.run(first);
          return driver.run(second).result;
        },
        guest: async ({ vcpuId }) =>
          vcpuId === 0 ? 'touches unaccepted memory' : new Promise<GuestEvent>(nothing),
      },
      'run.signal': [
        {
          title: 'a signal waits',
          provoke: runWhen((driver) => {
            driver.signal = 'ordinary';
          }),
        },
        {
          title: 'a signal comes',
          provoke: (driver) => cancelled(driver.run(runnable(driver).vcpu)),
        },
      ],
      'run.memory-fault': faultAt('EFAULT'),
      'run.no-memory': {
        // There is a page for each of the guest's, and none for the last table above them.
        profile: {
          ...fullOnceBuilt,
          platform: {
            ...fullOnceBuilt.platform,
            memoryBytes: fullOnceBuilt.platform.memoryBytes + BigInt(ramPages + 1) * page,
          },
        },
        provoke: runWhen(nothing),
      },
      'run.damaged-page': faultAt('EHWPOISON'),
      'run.unaccepted-memory': guestDoes('touches unaccepted memory'),
    },
  },
};
