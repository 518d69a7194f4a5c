import { expect } from 'vitest';
import { hasCommand } from '../../../../src/abi/kvm/kernels/kernel-abi.ts';
import type { KernelAbi } from '../../../../src/simulator/index.ts';
import { conforms } from './conforms.ts';

const terminates = (abi: KernelAbi) => hasCommand(abi, 'KVM_TDX_TERMINATE_VM');

conforms('TERMINATE_VM (kernel 5)', [
  {
    step: '-',
    title: 'does not exist',
    errno: 'EINVAL',
    of: (abi) => !terminates(abi),
    call: (driver) => driver.terminateVm(driver.runnableTd().vm),
  },
  {
    step: '1',
    title: 'a vCPU that runs cannot be locked',
    errno: 'EBUSY',
    of: terminates,
    call: (driver) => {
      const { vm, vcpus } = driver.runnableTd();
      const running = driver.run(vcpus[0] as number);
      const result = driver.terminateVm(vm);
      expect(driver.machine.keySlots.used).toBe(1);
      running.cancel();
      return result;
    },
  },
  {
    step: '2',
    title: 'the VM is dead',
    errno: 'EIO',
    of: terminates,
    call: (driver) => {
      const { vm } = driver.runnableTd();
      expect(driver.terminateVm(vm)).toBe(0);
      return driver.terminateVm(vm);
    },
  },
  {
    step: '3',
    title: 'vm_terminated; the key ID is free while every file is open',
    errno: 0,
    of: terminates,
    call: (driver) => {
      const { vm } = driver.runnableTd();
      const result = driver.terminateVm(vm);
      expect(driver.machine.keySlots.used).toBe(0);
      return result;
    },
  },
]);
