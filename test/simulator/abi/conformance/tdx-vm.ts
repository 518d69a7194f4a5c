/** KVM_MEMORY_ENCRYPT_OP on a VM. */
import { hasCommand } from '../../../../src/abi/kvm/kernels/record.ts';
import { statusWord } from '../../../../src/abi/tdx/status.ts';
import {
  CapabilitiesValue,
  type Handle,
  type InitVmStruct,
  InitVmValue,
  StructValue,
  type UserCapabilities,
  type UserInitVm,
} from '../../../../src/simulator/index.ts';
import type { Driver } from '../../drive.ts';
import { addressSizes, command, cpuidOf, initVmStruct, tdVcpus } from '../../structs.ts';
import type { Call, ConformanceTable } from './case.ts';
import { busy, noEntropy, other } from './statuses.ts';

/** KVM_TDX_INIT_VM of a new TD with something changed in the struct. */
const init =
  (change: Partial<InitVmStruct>): Call =>
  (driver) =>
    driver.initVm(driver.createTd(), change);

/** The same with other ways to copy the struct in. */
const initCopied =
  (copies: Partial<UserInitVm>): Call =>
  (driver) => {
    const value = new InitVmValue(initVmStruct());
    const data = { readNent: () => value.readNent(), read: () => value.read(), ...copies };
    const cmd = command('KVM_TDX_INIT_VM');
    return driver.call(driver.createTd(), { request: 'KVM_TDX_INIT_VM', cmd, data });
  };

/** The same on a machine where something goes wrong meanwhile. */
const initWhen =
  (arrange: (driver: Driver, vm: Handle) => void): Call =>
  (driver) => {
    const vm = driver.createTd();
    arrange(driver, vm);
    return driver.initVm(vm);
  };

const width = (bits: number) => cpuidOf({ ...addressSizes, eax: bits << 16 });
const leaf = (function_: number, registers = {}) => ({
  ...addressSizes,
  function: function_,
  eax: 0,
  flags: 1,
  ...registers,
});

export const tdxCommandsOnVms: ConformanceTable = {
  KVM_MEMORY_ENCRYPT_OP: {
    handle: (driver) => driver.builtTd().vm,
    request: () => ({
      request: 'KVM_MEMORY_ENCRYPT_OP',
      cmd: new StructValue({ id: 99, flags: 0, data: 0n, hwError: 0n }),
    }),
    cases: {},
  },
  KVM_TDX_CAPABILITIES: {
    handle: (driver) => driver.createVm(),
    request: () => ({
      request: 'KVM_TDX_CAPABILITIES',
      cmd: command('KVM_TDX_CAPABILITIES'),
      data: new CapabilitiesValue(128),
    }),
    cases: {
      'capabilities.flags': (driver) =>
        driver.call(driver.createVm(), {
          request: 'KVM_TDX_CAPABILITIES',
          cmd: command('KVM_TDX_CAPABILITIES', { flags: 1 }),
          data: new CapabilitiesValue(128),
        }),
      'capabilities.nent-unreadable': capabilitiesInto({ readNent: () => undefined }),
      'capabilities.buffer-too-small': capabilitiesInto({ readNent: () => 1 }),
      'capabilities.no-memory': (driver) => {
        driver.failAt('KVM_TDX_CAPABILITIES: allocate', 'ENOMEM');
        return driver.capabilities(driver.createVm());
      },
      'capabilities.unwritable': capabilitiesInto({ write: () => false }),
    },
  },
  KVM_TDX_INIT_VM: {
    handle: (driver) => driver.createTd(),
    request: () => ({
      request: 'KVM_TDX_INIT_VM',
      cmd: command('KVM_TDX_INIT_VM'),
      data: new InitVmValue(initVmStruct()),
    }),
    cases: {
      // The wait for the vCPUs can be killed only where there is one: INIT_VM has been there.
      'command.killed': (driver) => {
        const { vm } = driver.builtTd();
        driver.occupySibling(vm);
        return driver.initVm(vm);
      },
      'init-vm.done-already': [
        { title: 'a second one', provoke: (driver) => driver.initVm(driver.initializedTd()) },
        { title: 'of a finalised TD', provoke: (driver) => driver.initVm(driver.runnableTd().vm) },
      ],
      'init-vm.flags': (driver) =>
        driver.initVm(driver.createTd(), {}, command('KVM_TDX_INIT_VM', { flags: 1 })),
      'init-vm.nent-unreadable': initCopied({ readNent: () => undefined }),
      'init-vm.too-many-cpuid-entries': init({ cpuid: { nent: 257, padding: 0, entries: [] } }),
      'init-vm.too-many-for-struct': init({ cpuid: { nent: 406, padding: 0, entries: [] } }),
      'init-vm.no-memory-to-copy': initWhen((driver) =>
        driver.failAt('KVM_TDX_INIT_VM: copy the struct', 'ENOMEM'),
      ),
      'init-vm.struct-unreadable': initCopied({ read: () => undefined }),
      'init-vm.reserved': init({ reserved: [0n, 1n] }),
      'init-vm.cpuid-padding': init({ cpuid: { ...cpuidOf(addressSizes), padding: 1 } }),
      'init-vm.nent-changed': initCopied({ readNent: () => 2 }),
      'init-vm.no-memory-for-params': initWhen((driver) =>
        driver.failAt('KVM_TDX_INIT_VM: allocate TD_PARAMS', 'ENOMEM'),
      ),
      'init-vm.vcpus-exist': initWhen((driver, vm) => {
        driver.must(vm, { request: 'KVM_CREATE_VCPU', id: 0 });
      }),
      'init-vm.max-vcpus-too-large': init({ maxVcpus: 1025 }),
      'init-vm.max-vcpus-mismatch': init({ maxVcpus: tdVcpus + 1 }),
      'init-vm.max-vcpus-too-small': (driver) => {
        const vm = driver.createTd();
        for (const id of [0, 1]) driver.must(vm, { request: 'KVM_CREATE_VCPU', id });
        return driver.initVm(vm, { maxVcpus: 1 });
      },
      'init-vm.attributes': init({ attributes: 1n << 60n }),
      'init-vm.xfam': init({ xfam: 1n << 62n }),
      'init-vm.address-width': [
        { title: 'no leaf 80000008h', provoke: init({ cpuid: cpuidOf() }) },
        { title: '47 bits', provoke: init({ cpuid: width(47) }) },
      ],
      'init-vm.no-5-level-ept': { profile: 'small-client', provoke: init({ cpuid: width(52) }) },
      'init-vm.cpuid-forbidden': init({
        cpuid: cpuidOf(addressSizes, leaf(7, { ebx: 1 << 11 })),
      }),
      'init-vm.cpuid-unmatched': [
        {
          title: 'a leaf that is not listed',
          provoke: init({ cpuid: cpuidOf(addressSizes, leaf(0x77)) }),
        },
        { title: 'a leaf twice', provoke: init({ cpuid: cpuidOf(addressSizes, addressSizes) }) },
      ],
      'init-vm.no-key-slot': {
        profile: 'one-slot',
        provoke: (driver) => {
          driver.initializedTd();
          return driver.initVm(driver.createTd());
        },
      },
      'init-vm.cgroup-limit': initWhen((driver) =>
        driver.machine.setCgroupMax({ path: '/', max: 0 }),
      ),
      'init-vm.no-memory-for-td': initWhen((driver) =>
        driver.failAt('KVM_TDX_INIT_VM: allocate TDR and TDCS', 'ENOMEM'),
      ),
      'init-vm.package-offline': initWhen((driver) => driver.machine.setLastPackageOnline(false)),
      'init-vm.create-no-entropy': initWhen((driver) =>
        driver.failLeaf('TDH.MNG.CREATE', noEntropy),
      ),
      'init-vm.create-refused': initWhen((driver) => driver.failLeaf('TDH.MNG.CREATE', other)),
      'init-vm.create-refused-alive': initWhen((driver) =>
        driver.failLeaf('TDH.MNG.CREATE', other),
      ),
      'init-vm.key-config-refused': initWhen((driver) =>
        driver.failLeaf('TDH.MNG.KEY.CONFIG', other),
      ),
      'init-vm.addcx-no-entropy': initWhen((driver) => driver.failLeaf('TDH.MNG.ADDCX', noEntropy)),
      'init-vm.addcx-refused': initWhen((driver) => driver.failLeaf('TDH.MNG.ADDCX', other)),
      'init-vm.module-refused-operand': initWhen((driver) =>
        driver.failLeaf('TDH.MNG.INIT', statusWord('TDX_OPERAND_INVALID', 'RDX')),
      ),
      'init-vm.module-failed': initWhen((driver) => driver.failLeaf('TDH.MNG.INIT', other)),
    },
  },
  KVM_TDX_FINALIZE_VM: {
    handle: (driver) => driver.builtTd().vm,
    request: () => ({ request: 'KVM_TDX_FINALIZE_VM', cmd: command('KVM_TDX_FINALIZE_VM') }),
    cases: {
      'finalize-vm.wrong-order': [
        {
          title: 'before KVM_TDX_INIT_VM',
          provoke: (driver) => driver.finalizeVm(driver.createTd()),
        },
        { title: 'a second one', provoke: (driver) => driver.finalizeVm(driver.runnableTd().vm) },
      ],
      'finalize-vm.pages-not-added': (driver) => {
        const { vm, vcpus } = driver.builtTd();
        driver.failLeaf('TDH.MEM.PAGE.ADD', busy);
        driver.initMemRegion(vcpus[0] ?? vm);
        return driver.finalizeVm(vm);
      },
      'finalize-vm.busy': finalizeRefused(busy),
      'finalize-vm.module-refused': finalizeRefused(other),
    },
  },
  KVM_TDX_TERMINATE_VM: {
    handle: (driver) => driver.builtTd().vm,
    request: () => ({ request: 'KVM_TDX_TERMINATE_VM', cmd: command('KVM_TDX_TERMINATE_VM') }),
    cases: {
      'terminate-vm.vcpu-runs': {
        of: (abi) => hasCommand(abi, 'KVM_TDX_TERMINATE_VM'),
        provoke: (driver) => {
          const { vm, vcpus } = driver.runnableTd();
          driver.occupy(vcpus[0] ?? vm);
          return driver.terminateVm(vm);
        },
      },
    },
  },
};

function capabilitiesInto(copies: Partial<UserCapabilities>): Call {
  return (driver) => {
    const data = { readNent: () => 128, write: () => true, ...copies };
    const cmd = command('KVM_TDX_CAPABILITIES');
    return driver.call(driver.createVm(), { request: 'KVM_TDX_CAPABILITIES', cmd, data });
  };
}

function finalizeRefused(status: bigint): Call {
  return (driver) => {
    const { vm } = driver.builtTd();
    driver.failLeaf('TDH.MR.FINALIZE', status);
    return driver.finalizeVm(vm);
  };
}
