import type { Addon, NativeError, System, Vcpu, Vm } from '../../../native/index.ts';
import { type Answer, type KernelUnderTest, Objects, type Operation } from './operations.ts';

const noInitVm = {
  attributes: 0n,
  xfam: 3n,
  mrConfigId: new Uint8Array(48),
  mrOwner: new Uint8Array(48),
  mrOwnerConfig: new Uint8Array(48),
  cpuid: [],
};

type VcpuOperation = Extract<Operation, { vcpu: number }>;
type VmOperation = Extract<Operation, { vm: number }>;

/** /dev/kvm itself. */
export class RealKernel implements KernelUnderTest {
  readonly #system: System;
  readonly #vms = new Objects<Vm>();
  readonly #vcpus = new Objects<Vcpu>();

  private constructor(system: System) {
    this.#system = system;
  }

  static async open(addon: Addon): Promise<RealKernel> {
    return new RealKernel(await addon.System.open());
  }

  async ask(operation: Operation): Promise<Answer> {
    try {
      return await this.#do(operation);
    } catch (error) {
      return (error as NativeError).code;
    }
  }

  async #do(operation: Operation): Promise<Answer> {
    switch (operation.do) {
      case 'createVm':
        this.#vms.add(await this.#system.kvmCreateVm(operation.type));
        return 'fd';
      case 'checkSystem':
        return this.#system.kvmCheckExtension(operation.capability);
      case 'initVcpu':
      case 'closeVcpu':
        return this.#onVcpu(operation);
      default:
        return this.#onVm(operation);
    }
  }

  async #onVcpu(operation: VcpuOperation): Promise<Answer> {
    if (operation.do === 'closeVcpu') {
      const vcpu = this.#vcpus.take(operation.vcpu);
      await vcpu?.close();
      return vcpu ? 'closed' : 'nothing';
    }
    const vcpu = this.#vcpus.pick(operation.vcpu);
    if (!vcpu) return 'nothing';
    await vcpu.tdxInitVcpu(0n);
    return 0;
  }

  async #onVm(operation: VmOperation): Promise<Answer> {
    if (operation.do === 'closeVm') {
      const closed = this.#vms.take(operation.vm);
      await closed?.close();
      return closed ? 'closed' : 'nothing';
    }
    const vm = this.#vms.pick(operation.vm);
    if (!vm) return 'nothing';
    switch (operation.do) {
      case 'checkVm':
        return vm.kvmCheckExtension(operation.capability);
      case 'enableCap':
        await vm.kvmEnableCap(operation);
        return 0;
      case 'createIrqchip':
        await vm.kvmCreateIrqchip();
        return 0;
      case 'createVcpu':
        this.#vcpus.add(await vm.kvmCreateVcpu(operation.id));
        return 'fd';
      case 'setVmTscKhz':
        await vm.kvmSetTscKhz(operation.tscKhz);
        return 0;
      case 'initVm':
        await vm.tdxInitVm(noInitVm);
        return 0;
    }
  }

  async closeAll(): Promise<void> {
    const open = [...this.#vcpus.takeAll(), ...this.#vms.takeAll(), this.#system];
    await Promise.all(open.map((object) => object.close()));
  }
}
