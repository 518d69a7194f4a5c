import { expect } from 'vitest';
import { makesCheck } from '../../../../src/abi/kvm/kernels/kernel-abi.ts';
import { statusWord } from '../../../../src/abi/tdx/status.ts';
import { InitVmValue, type KernelAbi, type UserInitVm } from '../../../../src/simulator/index.ts';
import {
  addressSizes,
  command,
  cpuidOf,
  type Driver,
  faulting,
  initVmStruct,
  type Result,
} from '../../drive.ts';
import { poolEmpty } from '../abis.ts';
import { conforms, other } from './conforms.ts';

/** INIT_VM on a new TD. */
const init =
  (change: Parameters<Driver['initVm']>[1], cmd = command('KVM_TDX_INIT_VM')) =>
  (driver: Driver) =>
    driver.initVm(driver.createTd(), change, cmd);
const initWith = (parts: Partial<UserInitVm>) => (driver: Driver) => {
  const value = new InitVmValue(initVmStruct());
  return driver.call(driver.createTd(), {
    request: 'KVM_TDX_INIT_VM',
    cmd: command('KVM_TDX_INIT_VM'),
    data: { readNent: () => value.readNent(), read: () => value.read(), ...parts },
  });
};
/** Whichever ioctl takes the key ID: the first that refuses on the way to an initialised TD. */
const build = (driver: Driver): Result => {
  const vm = driver.call(driver.kvm, { request: 'KVM_CREATE_VM', type: 5 });
  if (typeof vm === 'string') return vm;
  const prepared = driver.prepareTd(vm);
  return typeof prepared === 'string' ? prepared : driver.initVm(vm);
};
const buildWith = (arrange: (driver: Driver) => void) => (driver: Driver) => {
  arrange(driver);
  return build(driver);
};
const width = (eax: number) => cpuidOf({ ...addressSizes, eax });
const leaf = (function_: number, registers = {}) => ({
  ...addressSizes,
  function: function_,
  eax: 0,
  flags: 1,
  ...registers,
});
const sizedByNent = (abi: KernelAbi) => abi.initVm.struct === 'sized by nent';

conforms('INIT_VM', [
  {
    step: 'G1',
    title: "another process's VM",
    errno: 'EIO',
    call: (driver) => {
      const vm = driver.createTd();
      driver.mm = 2;
      return driver.initVm(vm);
    },
  },
  {
    step: '1',
    title: 'a VM that is no TD',
    errno: 'ENOTTY',
    call: (driver) => driver.initVm(driver.createVm('KVM_X86_DEFAULT_VM')),
  },
  {
    step: '2',
    title: 'the command is unreadable',
    errno: 'EFAULT',
    call: (driver) =>
      driver.initVm(driver.createTd(), {}, faulting(command('KVM_TDX_INIT_VM'), 'read')),
  },
  {
    step: '3',
    title: 'hw_error is not 0',
    errno: 'EINVAL',
    call: init({}, command('KVM_TDX_INIT_VM', { hwError: 1n })),
  },
  {
    step: '6',
    title: 'a second INIT_VM',
    errno: 'EINVAL',
    call: (driver) => driver.initVm(driver.initializedTd()),
  },
  {
    step: '6',
    title: 'after FINALIZE_VM',
    errno: 'EINVAL',
    call: (driver) => driver.initVm(driver.runnableTd().vm),
  },
  {
    step: '7',
    title: 'flags',
    errno: 'EINVAL',
    call: init({}, command('KVM_TDX_INIT_VM', { flags: 1 })),
  },
  {
    step: '8',
    title: 'cpuid.nent is unreadable',
    errno: 'EFAULT',
    of: sizedByNent,
    call: initWith({ readNent: () => undefined }),
  },
  {
    step: '9',
    title: 'more than 256 entries',
    errno: 'E2BIG',
    of: sizedByNent,
    call: init({ cpuid: { nent: 257, padding: 0, entries: [] } }),
  },
  {
    step: '10',
    title: 'the struct is unreadable',
    errno: 'EFAULT',
    call: initWith({ read: () => undefined }),
  },
  {
    step: '10',
    title: 'no memory for the copy',
    errno: 'ENOMEM',
    call: buildWith((driver) => driver.failAt('KVM_TDX_INIT_VM: copy the struct', 'ENOMEM')),
  },
  {
    step: '11',
    title: 'reserved words are not 0',
    errno: 'EINVAL',
    call: init({ reserved: [0n, 1n] }),
  },
  {
    step: '12',
    title: 'cpuid.padding',
    errno: 'EINVAL',
    call: init({ cpuid: { ...cpuidOf(addressSizes), padding: 1 } }),
  },
  {
    step: '12',
    title: 'nent changes between two reads',
    errno: 'EINVAL',
    of: sizedByNent,
    call: initWith({ readNent: () => 2 }),
  },
  {
    step: '13',
    title: 'no memory for TD_PARAMS',
    errno: 'ENOMEM',
    call: buildWith((driver) => driver.failAt('KVM_TDX_INIT_VM: allocate TD_PARAMS', 'ENOMEM')),
  },
  {
    step: '15',
    title: 'attributes that are not supported',
    errno: 'EINVAL',
    call: init({ attributes: 1n << 60n }),
  },
  {
    step: '16',
    title: 'xfam that is not supported',
    errno: 'EINVAL',
    call: init({ xfam: 1n << 62n }),
  },
  { step: '17', title: 'no leaf 0x80000008', errno: 'EINVAL', call: init({ cpuid: cpuidOf() }) },
  {
    step: '17',
    title: 'an address width of 47',
    errno: 'EINVAL',
    call: init({ cpuid: width(47 << 16) }),
  },
  {
    step: '17',
    title: '52 address bits without 5-level EPT',
    errno: 'EINVAL',
    profile: 'small-client',
    call: init({ cpuid: width(52 << 16) }),
  },
  {
    step: '18',
    title: 'RTM in leaf 7',
    errno: 'EINVAL',
    call: init({ cpuid: cpuidOf(addressSizes, leaf(7, { ebx: 1 << 11 })) }),
  },
  {
    step: '19',
    title: 'a leaf that is not configurable',
    errno: (abi) => (makesCheck(abi, 'KVM_TDX_INIT_VM', 'init-vm.cpuid-unmatched') ? 'EINVAL' : 0),
    call: init({ cpuid: cpuidOf(addressSizes, leaf(0x77)) }),
  },
  {
    step: '19',
    title: 'a leaf twice',
    errno: (abi) => (makesCheck(abi, 'KVM_TDX_INIT_VM', 'init-vm.cpuid-unmatched') ? 'EINVAL' : 0),
    call: init({ cpuid: cpuidOf(addressSizes, addressSizes) }),
  },
  {
    step: '20',
    title: 'the key ID pool is empty',
    errno: poolEmpty,
    profile: 'one-slot',
    call: (driver) => {
      driver.initializedTd();
      return build(driver);
    },
  },
  {
    step: '21',
    title: 'the misc cgroup is full',
    errno: 'EBUSY',
    call: buildWith((driver) => driver.machine.setCgroupMax({ path: '/', max: 0 })),
  },
  {
    step: '22',
    title: 'no memory for TDR and TDCS',
    errno: 'ENOMEM',
    call: buildWith((driver) => driver.failAt('KVM_TDX_INIT_VM: allocate TDR and TDCS', 'ENOMEM')),
  },
  {
    step: '23',
    title: 'a package without an online CPU',
    errno: 'EIO',
    call: buildWith((driver) => driver.machine.setLastPackageOnline(false)),
  },
  {
    step: '24',
    title: 'TDH.MNG.CREATE without entropy',
    errno: 'EAGAIN',
    call: buildWith((driver) =>
      driver.failLeaf('TDH.MNG.CREATE', statusWord('TDX_RND_NO_ENTROPY')),
    ),
  },
  {
    step: '25',
    title: 'TDH.MNG.CREATE refused',
    errno: 'EIO',
    call: buildWith((driver) => driver.failLeaf('TDH.MNG.CREATE', other)),
  },
  {
    step: '26',
    title: 'TDH.MNG.KEY.CONFIG refused',
    errno: 'EIO',
    call: buildWith((driver) => driver.failLeaf('TDH.MNG.KEY.CONFIG', other)),
  },
  {
    step: '27',
    title: 'TDH.MNG.ADDCX without entropy',
    errno: 'EAGAIN',
    call: buildWith((driver) => driver.failLeaf('TDH.MNG.ADDCX', statusWord('TDX_RND_NO_ENTROPY'))),
  },
  {
    step: '27',
    title: 'TDH.MNG.ADDCX refused',
    errno: 'EIO',
    call: buildWith((driver) => driver.failLeaf('TDH.MNG.ADDCX', other)),
  },
  {
    step: '28',
    title: 'TDH.MNG.INIT refuses an operand',
    errno: 'EINVAL',
    call: buildWith((driver) =>
      driver.failLeaf('TDH.MNG.INIT', statusWord('TDX_OPERAND_INVALID', 'RDX')),
    ),
  },
  {
    step: '29',
    title: 'TDH.MNG.INIT refuses otherwise',
    errno: 'EIO',
    call: buildWith((driver) => driver.failLeaf('TDH.MNG.INIT', other)),
  },
  {
    step: '30',
    title: 'the command cannot be written back',
    errno: 'EFAULT',
    call: (driver) =>
      driver.initVm(driver.createTd(), {}, faulting(command('KVM_TDX_INIT_VM'), 'write')),
  },
  { step: '31', title: 'a TD', errno: 0, call: build },
]);

/** Refused with this change or this fault, then asked again without it. */
const retried =
  (change: Parameters<Driver['initVm']>[1], arrange: (driver: Driver) => void = () => {}) =>
  (driver: Driver) => {
    const vm = driver.createTd();
    arrange(driver);
    expect(driver.initVm(vm, change)).toBe('EINVAL');
    return driver.initVm(vm);
  };
const invalidOnce = (nth: number) =>
  nth === 0 ? statusWord('TDX_OPERAND_INVALID', 'RDX') : undefined;

conforms('INIT_VM may be tried again', [
  { step: '11', title: 'after reserved words', errno: 0, call: retried({ reserved: [1n] }) },
  { step: '15', title: 'after attributes', errno: 0, call: retried({ attributes: 1n << 60n }) },
  { step: '17', title: 'after an address width', errno: 0, call: retried({ cpuid: cpuidOf() }) },
  {
    step: '28',
    title: 'after TD_PARAMS that the module refuses',
    errno: 0,
    call: retried({}, (driver) => driver.failLeaf('TDH.MNG.INIT', invalidOnce)),
  },
]);
