/** KVM_CREATE_VM and KVM_CREATE_VCPU. */
import { hasMaxVcpusCap } from '../../../../src/abi/kvm/kernels/record.ts';
import type { Driver } from '../../drive.ts';
import type { Call, ConformanceTable } from './case.ts';
import { noEntropy, other } from './statuses.ts';

const createTd: Call = (driver) => driver.call(driver.kvm, { request: 'KVM_CREATE_VM', type: 5 });

const createTdWhen =
  (arrange: (driver: Driver) => void): Call =>
  (driver) => {
    arrange(driver);
    return createTd(driver);
  };

const createVcpuWhen =
  (arrange: (driver: Driver, vm: number) => void, id = 0): Call =>
  (driver) => {
    const vm = driver.initializedTd();
    arrange(driver, vm);
    return driver.createVcpu(vm, id);
  };

export const creation: ConformanceTable = {
  KVM_CREATE_VM: {
    handle: (driver) => driver.kvm,
    request: () => ({ request: 'KVM_CREATE_VM', type: 0 }),
    cases: {
      'create-vm.type': (driver) => driver.call(driver.kvm, { request: 'KVM_CREATE_VM', type: 4 }),
      // Where KVM_CREATE_VM makes the TD in the module.
      'init-vm.no-key-slot-yet': {
        profile: 'one-slot',
        provoke: createTdWhen((driver) => driver.createVm()),
      },
      'init-vm.cgroup-limit': createTdWhen((driver) =>
        driver.machine.setCgroupMax({ path: '/', max: 0 }),
      ),
      'init-vm.no-memory-for-td': createTdWhen((driver) =>
        driver.failAt('KVM_TDX_INIT_VM: allocate TDR and TDCS', 'ENOMEM'),
      ),
      'init-vm.package-offline': createTdWhen((driver) =>
        driver.machine.setLastPackageOnline(false),
      ),
      'init-vm.create-no-entropy': createTdWhen((driver) =>
        driver.failLeaf('TDH.MNG.CREATE', noEntropy),
      ),
      'init-vm.create-refused': createTdWhen((driver) => driver.failLeaf('TDH.MNG.CREATE', other)),
      'init-vm.key-config-refused': createTdWhen((driver) =>
        driver.failLeaf('TDH.MNG.KEY.CONFIG', other),
      ),
      'init-vm.addcx-no-entropy': createTdWhen((driver) =>
        driver.failLeaf('TDH.MNG.ADDCX', noEntropy),
      ),
      'init-vm.addcx-refused': createTdWhen((driver) => driver.failLeaf('TDH.MNG.ADDCX', other)),
    },
  },
  KVM_CREATE_VCPU: {
    handle: (driver) => driver.initializedTd(),
    request: () => ({ request: 'KVM_CREATE_VCPU', id: 0 }),
    cases: {
      'create-vcpu.id-range': createVcpuWhen(() => {}, 4096),
      'create-vcpu.limit': {
        profile: 'small-client',
        provoke: (driver) => {
          const vm = driver.initializedTd();
          const limit = driver.machine.snapshot().vms[0]?.maxVcpus ?? 0;
          for (let id = 0; id < limit; id++) driver.must(vm, { request: 'KVM_CREATE_VCPU', id });
          return driver.createVcpu(vm, limit);
        },
      },
      'create-vcpu.id-taken': createVcpuWhen((driver, vm) => driver.createVcpu(vm, 0)),
      'create-vcpu.id-limit': createVcpuWhen(
        (driver, vm) => driver.cap(vm, 'KVM_CAP_MAX_VCPU_ID', 4n),
        4,
      ),
      'create-vcpu.no-memory': createVcpuWhen((driver) =>
        driver.failAt('KVM_CREATE_VCPU: allocate', 'ENOMEM'),
      ),
      'create-vcpu.td-state': [
        {
          title: 'before KVM_TDX_INIT_VM',
          // Where a TD may have no vCPU until KVM_TDX_INIT_VM says how many, the limit refuses first.
          of: (abi) => abi.maxVcpus.atCreateVm.length > 0 || hasMaxVcpusCap(abi),
          provoke: (driver) => driver.createVcpu(driver.createTd(), 0),
        },
        {
          title: 'after KVM_TDX_FINALIZE_VM',
          provoke: (driver) => driver.createVcpu(driver.runnableTd().vm, 1),
        },
      ],
      'create-vcpu.td-finalised': (driver) => driver.createVcpu(driver.runnableTd().vm, 1),
      'create-vcpu.irqchip': (driver) => {
        const vm = driver.createVm();
        driver.nameVcpus(vm);
        driver.initVm(vm);
        return driver.createVcpu(vm, 0);
      },
      'create-vcpu.no-descriptor': createVcpuWhen((driver) =>
        driver.failAt('KVM_CREATE_VCPU: install the fd', 'EMFILE'),
      ),
    },
  },
};
