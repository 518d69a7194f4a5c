/** What a TDX command does where it is taken, and leaves where it is refused: alike under every kernel. */
import { describe, expect, test } from 'vitest';
import { makesCheck } from '../../../src/abi/kvm/kernels/record.ts';
import { statusWord } from '../../../src/abi/tdx/status.ts';
import { CpuidValue, type InitVmStruct } from '../../../src/simulator/index.ts';
import { Driver } from '../drive.ts';
import {
  addressSizes,
  command,
  cpuidOf,
  faulting,
  memRegion,
  page,
  ramGpa,
  sourceAddress,
} from '../structs.ts';
import { abisWhere } from './abis.ts';

const vcpuOf = (driver: Driver, vm: number) => {
  const vcpu = driver.must(vm, { request: 'KVM_CREATE_VCPU', id: 0 });
  driver.setCpuid2(vcpu);
  return vcpu;
};

describe.each(abisWhere())('%s', (kernelAbi) => {
  const initialised = () => {
    const driver = new Driver({ kernelAbi });
    return { driver, vm: driver.initializedTd() };
  };
  const built = () => {
    const driver = new Driver({ kernelAbi });
    const { vm, vcpus } = driver.builtTd();
    return { driver, vm, vcpu: vcpus[0] as number };
  };

  test.each<[string, Partial<InitVmStruct>]>([
    ['a reserved word', { reserved: [1n] }],
    ['an attribute that is not supported', { attributes: 1n << 60n }],
    ['no address width', { cpuid: cpuidOf() }],
  ])('KVM_TDX_INIT_VM with %s may be corrected', (_what, change) => {
    const driver = new Driver({ kernelAbi });
    const vm = driver.createTd();
    expect(driver.initVm(vm, change)).toBe('EINVAL');
    expect(driver.initVm(vm)).toBe(0);
  });

  test('KVM_TDX_INIT_VM may be repeated after TD_PARAMS that the module refuses', () => {
    const driver = new Driver({ kernelAbi });
    const vm = driver.createTd();
    const refused = statusWord('TDX_OPERAND_INVALID', 'RDX');
    driver.failLeaf('TDH.MNG.INIT', (nth) => (nth === 0 ? refused : undefined));
    expect(driver.initVm(vm)).toBe('EINVAL');
    expect(driver.initVm(vm)).toBe(0);
  });

  test('KVM_TDX_INIT_VCPU is taken, and bugs the VM when a field of the TDVPS cannot be written', () => {
    const { driver, vm } = initialised();
    const vcpu = vcpuOf(driver, vm);
    driver.failLeaf('TDH.VP.WR', statusWord('TDX_TD_FATAL'));
    expect(driver.initVcpu(vcpu)).toBe(0);
    expect(driver.machine.snapshot().vms[0]).toMatchObject({
      bugged: true,
      vcpus: [{ initialized: true }],
    });
  });

  test('KVM_TDX_GET_CPUID gives the CPUID of the TD', () => {
    const { driver, vm } = initialised();
    const cpuid = new CpuidValue(256);
    expect(driver.getCpuid(vcpuOf(driver, vm), cpuid)).toBe(0);
    expect(cpuid.entries.length).toBeGreaterThan(0);
  });

  test('KVM_TDX_INIT_MEM_REGION adds and measures every page of the region', () => {
    const { driver, vcpu } = built();
    const region = memRegion({ nrPages: 4n });
    expect(driver.initMemRegion(vcpu, region, 1)).toBe(0);
    expect(region.value).toEqual({
      sourceAddr: sourceAddress + 4n * page,
      gpa: ramGpa + 4n * page,
      nrPages: 0n,
    });
  });

  test('KVM_TDX_INIT_MEM_REGION that is interrupted has advanced the region by what it did', () => {
    const { driver, vcpu } = built();
    driver.signalBeforePage = 3;
    const region = memRegion({ nrPages: 5n });
    expect(driver.initMemRegion(vcpu, region)).toBe('EINTR');
    expect(region.value).toMatchObject({ gpa: ramGpa + 3n * page, nrPages: 2n });
  });

  test('KVM_TDX_FINALIZE_VM of a busy TD tells the status, and may be repeated', () => {
    const { driver, vm } = built();
    const busy = statusWord('TDX_OPERAND_BUSY', 'RCX');
    driver.failLeaf('TDH.MR.FINALIZE', (nth) => (nth === 0 ? busy : undefined));
    const cmd = command('KVM_TDX_FINALIZE_VM');
    expect(driver.finalizeVm(vm, cmd)).toBe('EBUSY');
    expect(cmd.value.hwError).toBe(busy);
    expect(driver.finalizeVm(vm)).toBe(0);
  });

  test('KVM_TDX_FINALIZE_VM whose command cannot be written back has finalised the TD', () => {
    const { driver, vm } = built();
    const unwritable = faulting(command('KVM_TDX_FINALIZE_VM'), 'write');
    expect(driver.finalizeVm(vm, unwritable)).toBe('EFAULT');
    expect(driver.machine.snapshot().vms[0]?.td?.state).toBe('RUNNABLE');
    expect(driver.finalizeVm(vm)).toBe('EINVAL');
  });

  test('KVM_TDX_FINALIZE_VM looks at no flags', () => {
    const { driver, vm } = built();
    expect(driver.finalizeVm(vm, command('KVM_TDX_FINALIZE_VM', { flags: 7 }))).toBe(0);
  });
});

describe.each(abisWhere((abi) => !makesCheck(abi, 'KVM_TDX_INIT_VM', 'init-vm.cpuid-unmatched')))(
  'where CPUID entries may be left over (%s)',
  (kernelAbi) => {
    test.each([
      ['a leaf that is not listed', { ...addressSizes, function: 0x77, eax: 0, flags: 1 }],
      ['a leaf twice', addressSizes],
    ])('KVM_TDX_INIT_VM takes %s', (_what, entry) => {
      const driver = new Driver({ kernelAbi });
      const cpuid = cpuidOf(addressSizes, entry);
      expect(driver.initVm(driver.createTd(), { cpuid })).toBe(0);
    });
  },
);
