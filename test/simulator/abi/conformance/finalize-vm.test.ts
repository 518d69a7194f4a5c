import { expect } from 'vitest';
import { command, faulting } from '../../drive.ts';
import { busy, conforms, other } from './conforms.ts';

conforms('FINALIZE_VM', [
  {
    step: '6',
    title: 'before INIT_VM',
    errno: 'EINVAL',
    call: (driver) => driver.finalizeVm(driver.createTd()),
  },
  {
    step: '6',
    title: 'a second one',
    errno: 'EINVAL',
    call: (driver) => driver.finalizeVm(driver.runnableTd().vm),
  },
  {
    step: '7',
    title: 'operand busy, with its status',
    errno: 'EBUSY',
    call: (driver) => {
      const cmd = command('KVM_TDX_FINALIZE_VM');
      driver.failLeaf('TDH.MR.FINALIZE', busy);
      const result = driver.finalizeVm(driver.builtTd().vm, cmd);
      expect(cmd.value.hwError).toBe(busy);
      return result;
    },
  },
  {
    step: '8',
    title: 'refused, and the VM is bugged',
    errno: 'EIO',
    call: (driver) => {
      const { vm } = driver.builtTd();
      driver.failLeaf('TDH.MR.FINALIZE', other);
      expect(driver.finalizeVm(vm)).toBe('EIO');
      driver.failLeaf('TDH.MR.FINALIZE', undefined);
      return driver.finalizeVm(vm);
    },
  },
  {
    step: '9',
    title: 'the command cannot be written back, and the TD is RUNNABLE',
    errno: 'EINVAL',
    call: (driver) => {
      const { vm } = driver.builtTd();
      expect(driver.finalizeVm(vm, faulting(command('KVM_TDX_FINALIZE_VM'), 'write'))).toBe(
        'EFAULT',
      );
      return driver.finalizeVm(vm);
    },
  },
  {
    step: '10',
    title: 'flags are ignored',
    errno: 0,
    call: (driver) =>
      driver.finalizeVm(driver.builtTd().vm, command('KVM_TDX_FINALIZE_VM', { flags: 7 })),
  },
]);
