import { hasMaxVcpusCap } from '../../../../src/abi/kvm/kernels/kernel-abi.ts';
import type { KernelAbi } from '../../../../src/simulator/index.ts';
import { expectOk } from '../../drive.ts';
import { refusesFinalised } from '../abis.ts';
import { conforms, stateless } from './conforms.ts';

const frozen = (abi: KernelAbi) => refusesFinalised(abi);
const limited = (abi: KernelAbi) => abi.maxVcpus.atCreateVm.length > 0 || hasMaxVcpusCap(abi);

conforms('CREATE_VCPU', [
  {
    step: 'G1',
    title: "another process's VM",
    errno: 'EIO',
    call: (driver) => {
      const vm = driver.initializedTd();
      driver.mm = 2;
      return driver.createVcpu(vm, 0);
    },
  },
  {
    step: '1',
    title: 'an id at KVM_MAX_VCPU_IDS',
    errno: 'EINVAL',
    call: (driver) => driver.createVcpu(driver.initializedTd(), 4096),
  },
  {
    step: '2',
    title: 'as many vCPUs as the TD may have',
    errno: 'EINVAL',
    profile: 'small-client',
    call: (driver) => {
      const vm = driver.initializedTd();
      for (let id = 0; id < 8; id++) driver.createVcpu(vm, id);
      const { maxVcpus = 0 } = driver.machine.snapshot().vms[0] ?? {};
      for (let id = 8; id < maxVcpus; id++) driver.createVcpu(vm, id);
      return driver.createVcpu(vm, maxVcpus);
    },
  },
  {
    step: '3',
    title: 'an id that exists',
    errno: 'EEXIST',
    call: (driver) => driver.createVcpu(driver.builtTd().vm, 0),
  },
  {
    step: '4',
    title: 'an id at MAX_VCPU_ID',
    errno: 'EINVAL',
    call: (driver) => {
      const vm = driver.initializedTd();
      driver.cap(vm, 'KVM_CAP_MAX_VCPU_ID', 4n);
      return driver.createVcpu(vm, 4);
    },
  },
  {
    step: '5',
    title: 'no memory',
    errno: 'ENOMEM',
    call: (driver) => {
      const vm = driver.initializedTd();
      driver.failAt('KVM_CREATE_VCPU: allocate', 'ENOMEM');
      return driver.createVcpu(vm, 0);
    },
  },
  {
    step: '6',
    title: 'before INIT_VM',
    errno: 'EIO',
    of: (abi) => limited(abi) && !stateless(abi),
    call: (driver) => driver.createVcpu(driver.createTd(), 0),
  },
  {
    step: '6',
    title: 'after FINALIZE_VM',
    errno: 'EIO',
    of: frozen,
    call: (driver) => driver.createVcpu(driver.runnableTd().vm, 1),
  },
  {
    step: '7',
    title: 'the irqchip is not split',
    errno: 'EINVAL',
    of: (abi) => !hasMaxVcpusCap(abi),
    call: (driver) => {
      const vm = driver.createVm();
      expectOk(driver.initVm(vm));
      return driver.createVcpu(vm, 0);
    },
  },
  {
    step: '8',
    title: 'no fd left',
    errno: 'EMFILE',
    call: (driver) => {
      const vm = driver.initializedTd();
      driver.failAt('KVM_CREATE_VCPU: install the fd', 'EMFILE');
      return driver.createVcpu(vm, 0);
    },
  },
]);
