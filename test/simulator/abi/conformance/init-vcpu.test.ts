import { expect } from 'vitest';
import { command, type Driver, faulting } from '../../drive.ts';
import { conforms, onVcpu, other, stateless } from './conforms.ts';

const initVcpuWith = (arrange: (driver: Driver) => void) =>
  onVcpu((driver, vcpu) => {
    arrange(driver);
    return driver.initVcpu(vcpu);
  });

conforms('INIT_VCPU', [
  {
    step: '1',
    title: 'a vCPU of another VM type',
    errno: 'EINVAL',
    call: (driver) =>
      driver.initVcpu(driver.createVcpu(driver.createVm('KVM_X86_DEFAULT_VM'), 0) as number),
  },
  {
    step: '2',
    title: 'the command is unreadable',
    errno: 'EFAULT',
    call: onVcpu((driver, vcpu) =>
      driver.initVcpu(vcpu, faulting(command('KVM_TDX_INIT_VCPU'), 'read')),
    ),
  },
  {
    step: '3',
    title: 'hw_error is not 0',
    errno: 'EINVAL',
    call: onVcpu((driver, vcpu) =>
      driver.initVcpu(vcpu, command('KVM_TDX_INIT_VCPU', { hwError: 1n })),
    ),
  },
  {
    step: '4',
    title: 'a fatal signal while locking',
    errno: 'EINTR',
    call: initVcpuWith((driver) => {
      driver.signal = 'fatal';
    }),
  },
  {
    step: '5',
    title: 'before INIT_VM',
    errno: 'EINVAL',
    of: stateless,
    call: (driver) => driver.initVcpu(driver.createVcpu(driver.createTd(), 0) as number),
  },
  {
    step: '5',
    title: 'after FINALIZE_VM',
    errno: 'EINVAL',
    call: (driver) => {
      const { vm } = driver.builtTd();
      const late = driver.createVcpu(vm, 1) as number;
      driver.finalizeVm(vm);
      return driver.initVcpu(late);
    },
  },
  {
    step: '6',
    title: 'flags',
    errno: 'EINVAL',
    call: onVcpu((driver, vcpu) =>
      driver.initVcpu(vcpu, command('KVM_TDX_INIT_VCPU', { flags: 1 })),
    ),
  },
  {
    step: '7',
    title: 'a second one',
    errno: 'EINVAL',
    call: (driver) => driver.initVcpu(driver.builtTd().vcpus[0] as number),
  },
  {
    step: '8',
    title: 'no x2APIC in the CPUID',
    errno: 'EINVAL',
    call: onVcpu((driver, vcpu) => {
      driver.setCpuid2(vcpu, []);
      return driver.initVcpu(vcpu);
    }),
  },
  {
    step: '9',
    title: 'no memory',
    errno: 'ENOMEM',
    call: initVcpuWith((driver) =>
      driver.failAt('KVM_TDX_INIT_VCPU: allocate TDVPR and TDCX', 'ENOMEM'),
    ),
  },
  ...(['TDH.VP.CREATE', 'TDH.VP.ADDCX', 'TDH.VP.INIT'] as const).map((refused) => ({
    step: '10',
    title: `${refused} refused, and the VM is bugged`,
    errno: 'EIO' as const,
    call: onVcpu((driver, vcpu, vm) => {
      driver.failLeaf(refused, other);
      expect(driver.initVcpu(vcpu)).toBe('EIO');
      return driver.check(vm, 'KVM_CAP_IRQFD');
    }),
  })),
  {
    step: '11',
    title: 'TDH.VP.WR refused: 0, and the VM is bugged',
    errno: 'EIO',
    call: onVcpu((driver, vcpu, vm) => {
      driver.failLeaf('TDH.VP.WR', other);
      expect(driver.initVcpu(vcpu)).toBe(0);
      return driver.check(vm, 'KVM_CAP_IRQFD');
    }),
  },
  { step: '12', title: 'a vCPU', errno: 0, call: onVcpu((driver, vcpu) => driver.initVcpu(vcpu)) },
]);
