import { tdxCommands } from '../../../src/abi/kvm/requests.ts';
import {
  type Caller,
  createSimulatedHost,
  type Handle,
  type HostProfile,
  InitVmValue,
  type Request,
  type SimulatedMachine,
  StructValue,
} from '../../../src/simulator/index.ts';
import { type Answer, type KernelUnderTest, Objects, type Operation } from './operations.ts';

const caller: Caller = {
  mm: 1,
  cgroup: '/',
  memory: { read: () => undefined },
  pendingSignal: () => 'none',
};

const command = (name: keyof typeof tdxCommands) =>
  new StructValue({ id: tdxCommands[name], flags: 0, data: 0n, hwError: 0n });

/** The kernel model, on a machine with this host's constants. */
export class SimulatedKernel implements KernelUnderTest {
  readonly #machine: SimulatedMachine;
  readonly #devKvm: Handle;
  readonly #vms = new Objects<Handle>();
  readonly #vcpus = new Objects<Handle>();

  constructor(profile: HostProfile) {
    this.#machine = createSimulatedHost({ profile });
    const opened = this.#machine.open();
    if (!opened.ok) throw new Error(`no /dev/kvm: ${opened.errno}`);
    this.#devKvm = opened.value;
  }

  async ask(operation: Operation): Promise<Answer> {
    switch (operation.do) {
      case 'createVm':
        return this.#make(this.#vms, this.#devKvm, {
          request: 'KVM_CREATE_VM',
          type: operation.type,
        });
      case 'checkSystem':
        return this.#call(this.#devKvm, {
          request: 'KVM_CHECK_EXTENSION',
          capability: operation.capability,
        });
      case 'closeVm':
        return this.#close(this.#vms, operation.vm);
      case 'closeVcpu':
        return this.#close(this.#vcpus, operation.vcpu);
      case 'initVcpu':
        return this.#on(this.#vcpus.pick(operation.vcpu), {
          request: 'KVM_TDX_INIT_VCPU',
          cmd: command('KVM_TDX_INIT_VCPU'),
        });
      case 'createVcpu': {
        const vm = this.#vms.pick(operation.vm);
        if (vm === undefined) return 'nothing';
        return this.#make(this.#vcpus, vm, { request: 'KVM_CREATE_VCPU', id: operation.id });
      }
      default:
        return this.#on(this.#vms.pick(operation.vm), vmRequest(operation));
    }
  }

  #on(handle: Handle | undefined, request: Request): Answer {
    return handle === undefined ? 'nothing' : this.#call(handle, request);
  }

  #call(handle: Handle, request: Request): Answer {
    const answer = this.#machine.ioctl(caller, handle, request);
    return answer.ok ? answer.value : answer.errno;
  }

  #make(objects: Objects<Handle>, handle: Handle, request: Request): Answer {
    const answer = this.#call(handle, request);
    if (typeof answer === 'string') return answer;
    objects.add(answer);
    return 'fd';
  }

  #close(objects: Objects<Handle>, index: number): Answer {
    const handle = objects.take(index);
    if (handle === undefined) return 'nothing';
    this.#machine.release(handle);
    return 'closed';
  }

  async closeAll(): Promise<void> {
    for (const handle of [...this.#vcpus.takeAll(), ...this.#vms.takeAll(), this.#devKvm]) {
      this.#machine.release(handle);
    }
  }
}

type VmOperation = Extract<
  Operation,
  { do: 'checkVm' | 'enableCap' | 'createIrqchip' | 'setVmTscKhz' | 'initVm' }
>;

function vmRequest(operation: VmOperation): Request {
  switch (operation.do) {
    case 'checkVm':
      return { request: 'KVM_CHECK_EXTENSION', capability: operation.capability };
    case 'enableCap': {
      const { capability: cap, flags, args } = operation;
      return { request: 'KVM_ENABLE_CAP', cap: new StructValue({ cap, flags, args }) };
    }
    case 'createIrqchip':
      return { request: 'KVM_CREATE_IRQCHIP' };
    case 'setVmTscKhz':
      return { request: 'KVM_SET_TSC_KHZ', tscKhz: operation.tscKhz };
    case 'initVm':
      return {
        request: 'KVM_TDX_INIT_VM',
        cmd: command('KVM_TDX_INIT_VM'),
        data: new InitVmValue({
          attributes: 0n,
          xfam: 3n,
          mrConfigId: new Uint8Array(48),
          mrOwner: new Uint8Array(48),
          mrOwnerConfig: new Uint8Array(48),
          reserved: [],
          cpuid: { nent: 0, padding: 0, entries: [] },
        }),
      };
  }
}
