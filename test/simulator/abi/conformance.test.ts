/**
 * kernel-abi 7.1 under every kernel ABI: each row of its tables as one condition, alone. Where a kernel
 * has another rule (order.test.ts, max-vcpus.test.ts), the row says which kernels it is about.
 */
import { describe, expect, test } from 'vitest';
import { statusWord } from '../../../src/abi/tdx/status.ts';
import {
  CpuidValue,
  InitVmValue,
  type KernelAbi,
  type KernelAbiName,
  kernelAbis,
  type UserInitVm,
} from '../../../src/simulator/index.ts';
import {
  addressSizes,
  command,
  cpuidOf,
  Driver,
  expectOk,
  faulting,
  initVmStruct,
  memRegion,
  page,
  type Result,
  ramGpa,
} from '../drive.ts';
import { abisWhere } from './abis.ts';

interface Row {
  readonly step: string;
  readonly title: string;
  readonly errno: Result | ((abi: KernelAbi) => Result);
  readonly call: (driver: Driver) => Result;
  /** The kernels whose table has the row; all, unless said. */
  readonly of?: (abi: KernelAbi) => boolean;
  readonly profile?: 'one-slot' | 'small-client';
}

function conforms(call: string, rows: readonly Row[]): void {
  const cells = rows.flatMap((row) =>
    abisWhere(row.of).map((name) => [row.step, row.title, name, row] as const),
  );
  describe(`kernel 7.1 ${call}`, () => {
    test.each(cells)('step %s: %s (%s)', (_step, _title, kernelAbi, row) => {
      const driver = new Driver({ kernelAbi, profile: row.profile ?? 'spr-1.5' });
      const abi: KernelAbi = kernelAbis[kernelAbi as KernelAbiName];
      const expected = typeof row.errno === 'function' ? row.errno(abi) : row.errno;
      expect(row.call(driver)).toBe(expected);
    });
  });
}

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
const busy = statusWord('TDX_OPERAND_BUSY', 'RCX');
const other = statusWord('TDX_TD_FATAL');

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
    errno: 'EINVAL',
    call: init({ cpuid: cpuidOf(addressSizes, leaf(0x77)) }),
  },
  {
    step: '19',
    title: 'a leaf twice',
    errno: 'EINVAL',
    call: init({ cpuid: cpuidOf(addressSizes, addressSizes) }),
  },
  {
    step: '20',
    title: 'the key ID pool is empty',
    errno: (abi) => abi.keyId.poolEmpty,
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

const stateless = (abi: KernelAbi) => abi.createVcpu.when.includes('UNINITIALIZED');
const frozen = (abi: KernelAbi) => !abi.createVcpu.when.includes('RUNNABLE');
const limited = (abi: KernelAbi) =>
  abi.maxVcpus.atCreateVm.length > 0 || abi.maxVcpus.capability !== undefined;

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
    of: (abi) => abi.maxVcpus.capability === undefined,
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

const onVcpu = (call: (driver: Driver, vcpu: number, vm: number) => Result) => (driver: Driver) => {
  const vm = driver.initializedTd();
  const vcpu = driver.createVcpu(vm, 0) as number;
  driver.setCpuid2(vcpu);
  return call(driver, vcpu, vm);
};
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

const region =
  (change: Parameters<typeof memRegion>[0], flags = 0) =>
  (driver: Driver) =>
    driver.initMemRegion(driver.builtTd().vcpus[0] as number, memRegion(change), flags);
const regionWith =
  (arrange: (driver: Driver, td: ReturnType<Driver['builtTd']>) => void) => (driver: Driver) => {
    const td = driver.builtTd();
    arrange(driver, td);
    return driver.initMemRegion(td.vcpus[0] as number);
  };

conforms('INIT_MEM_REGION', [
  {
    step: '5',
    title: 'after FINALIZE_VM',
    errno: 'EINVAL',
    call: (driver) => driver.initMemRegion(driver.runnableTd().vcpus[0] as number),
  },
  {
    step: '6',
    title: "a vCPU that is not INIT'ed",
    errno: 'EINVAL',
    call: onVcpu((driver, vcpu) => driver.initMemRegion(vcpu)),
  },
  { step: '7', title: 'flags', errno: 'EINVAL', call: region({}, 2) },
  {
    step: '8',
    title: 'the region is unreadable',
    errno: 'EFAULT',
    call: (driver) =>
      driver.initMemRegion(driver.builtTd().vcpus[0] as number, faulting(memRegion(), 'read')),
  },
  {
    step: '9',
    title: 'the source is unaligned',
    errno: 'EINVAL',
    call: region({ sourceAddr: 1n }),
  },
  {
    step: '9',
    title: 'the address is unaligned',
    errno: 'EINVAL',
    call: region({ gpa: ramGpa + 1n }),
  },
  { step: '9', title: 'no pages', errno: 'EINVAL', call: region({ nrPages: 0n }) },
  { step: '9', title: 'a shared address', errno: 'EINVAL', call: region({ gpa: 1n << 47n }) },
  {
    step: '10',
    title: 'a pending signal',
    errno: 'EINTR',
    call: regionWith((driver) => {
      driver.signal = 'ordinary';
    }),
  },
  {
    step: '11',
    title: 'no slot with a guest_memfd',
    errno: 'EINVAL',
    call: region({ gpa: 0x4000_0000n }),
  },
  {
    step: '12',
    title: 'the guest_memfd is closed',
    errno: 'EFAULT',
    call: regionWith((driver, { guestMemfd }) => driver.release(guestMemfd)),
  },
  {
    step: '13',
    title: 'the source page is unreadable',
    errno: 'EFAULT',
    call: (driver) => {
      driver.unreadable.add(memRegion().value.sourceAddr);
      return region({})(driver);
    },
  },
  {
    step: '14',
    title: 'the guest_memfd has no page',
    errno: 'ENOMEM',
    call: regionWith((driver) =>
      driver.failAt('KVM_TDX_INIT_MEM_REGION: get the guest_memfd page', 'ENOMEM'),
    ),
  },
  {
    step: '15',
    title: 'a page that is not private',
    errno: 'EINVAL',
    call: regionWith((driver, { vm }) => {
      driver.setPrivate(vm, ramGpa, 16, false);
    }),
  },
  {
    step: '16',
    title: 'a page that is there already',
    errno: 'EIO',
    call: regionWith((driver, { vcpus }) => {
      driver.initMemRegion(vcpus[0] as number);
    }),
  },
  ...(['TDH.MEM.SEPT.ADD', 'TDH.MEM.PAGE.ADD', 'TDH.MR.EXTEND'] as const).map((refused) => ({
    step: '18',
    title: `${refused} refused, and the VM is bugged`,
    errno: 'EIO' as const,
    call: (driver: Driver) => {
      const { vm, vcpus } = driver.builtTd();
      driver.failLeaf(refused, other);
      expect(driver.initMemRegion(vcpus[0] as number, memRegion(), 1)).toBe('EIO');
      return driver.check(vm, 'KVM_CAP_IRQFD');
    },
  })),
  {
    step: '19',
    title: 'the region cannot be written back',
    errno: 'EFAULT',
    call: (driver) =>
      driver.initMemRegion(driver.builtTd().vcpus[0] as number, faulting(memRegion(), 'write')),
  },
  { step: '20', title: 'pages', errno: 0, call: region({ nrPages: 4n }, 1) },
  {
    step: '20',
    title: 'the region is advanced by what was done',
    errno: 'EINTR',
    call: (driver) => {
      driver.signalBeforePage = 3;
      const struct = memRegion({ nrPages: 5n });
      const result = driver.initMemRegion(driver.builtTd().vcpus[0] as number, struct);
      expect(struct.value).toMatchObject({ gpa: ramGpa + 3n * page, nrPages: 2n });
      return result;
    },
  },
]);

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

const cpuidOn = (nent: number) =>
  onVcpu((driver, vcpu) => driver.getCpuid(vcpu, new CpuidValue(nent)));

conforms('GET_CPUID', [
  {
    step: '5',
    title: 'after FINALIZE_VM',
    errno: 'EINVAL',
    call: (driver) => driver.getCpuid(driver.runnableTd().vcpus[0] as number),
  },
  {
    step: '8',
    title: 'no memory',
    errno: 'ENOMEM',
    call: onVcpu((driver, vcpu) => {
      driver.failAt('KVM_TDX_GET_CPUID: allocate', 'ENOMEM');
      return driver.getCpuid(vcpu);
    }),
  },
  {
    step: '10',
    title: 'leaf 0 is not readable',
    errno: 'EIO',
    call: onVcpu((driver, vcpu) => {
      driver.failLeaf('TDH.MNG.RD', statusWord('TDX_METADATA_FIELD_NOT_READABLE'));
      return driver.getCpuid(vcpu);
    }),
  },
  { step: '12', title: 'too small a buffer', errno: 'E2BIG', call: cpuidOn(1) },
  { step: '14', title: 'the CPUID of the TD', errno: 0, call: cpuidOn(256) },
]);

conforms('ENABLE_CAP', [
  {
    step: '1',
    title: 'SPLIT_IRQCHIP with too many routes',
    errno: 'EINVAL',
    call: (driver) => driver.cap(driver.createVm(), 'KVM_CAP_SPLIT_IRQCHIP', 4097n),
  },
  {
    step: '2',
    title: 'SPLIT_IRQCHIP twice',
    errno: 'EEXIST',
    call: (driver) => driver.cap(driver.createTd(), 'KVM_CAP_SPLIT_IRQCHIP', 24n),
  },
  {
    step: '1',
    title: 'X2APIC_API, unknown bits',
    errno: 'EINVAL',
    call: (driver) => driver.cap(driver.createTd(), 'KVM_CAP_X2APIC_API', 0x10n),
  },
  {
    step: '1',
    title: 'EXIT_HYPERCALL, unknown bits',
    errno: 'EINVAL',
    call: (driver) => driver.cap(driver.createTd(), 'KVM_CAP_EXIT_HYPERCALL', 1n),
  },
  {
    step: '1',
    title: 'MAX_VCPU_ID above KVM_MAX_VCPU_IDS',
    errno: 'EINVAL',
    call: (driver) => driver.cap(driver.createTd(), 'KVM_CAP_MAX_VCPU_ID', 4097n),
  },
  {
    step: '2',
    title: 'APIC_BUS_CYCLES without an irqchip',
    errno: 'ENXIO',
    call: (driver) => driver.cap(driver.createVm(), 'KVM_CAP_X86_APIC_BUS_CYCLES_NS', 40n),
  },
  {
    step: '2',
    title: "PMU_CAPABILITY: a TD's must be off",
    errno: 'EINVAL',
    call: (driver) => driver.cap(driver.createTd(), 'KVM_CAP_PMU_CAPABILITY', 0n),
  },
  {
    step: '1',
    title: 'COPY_ENC_CONTEXT_FROM',
    errno: 'EINVAL',
    call: (driver) => driver.cap(driver.createTd(), 'KVM_CAP_VM_COPY_ENC_CONTEXT_FROM', 1n),
  },
]);

const terminates = (abi: KernelAbi) => abi.tdxCommands.includes('KVM_TDX_TERMINATE_VM');

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
