/** Smaller requests on a VM, and those of a vCPU that ask the same. */
import {
  type Handle,
  hostProfiles,
  type Request,
  StructValue,
} from '../../../../src/simulator/index.ts';
import type { Driver } from '../../drive.ts';
import { FileValue } from '../../values.ts';
import type { Call, Conformance, ConformanceTable } from './case.ts';

const plainVm = (driver: Driver): Handle => driver.createVm('KVM_X86_DEFAULT_VM');
const plainVcpu = (driver: Driver): Handle => vcpuOf(driver, plainVm(driver));
const tdVcpu = (driver: Driver): Handle => vcpuOf(driver, driver.initializedTd());

function vcpuOf(driver: Driver, vm: Handle): Handle {
  return driver.must(vm, { request: 'KVM_CREATE_VCPU', id: 0 });
}

const askVm =
  (request: Request, arrange: (driver: Driver, vm: Handle) => unknown = () => {}): Call =>
  (driver) => {
    const vm = plainVm(driver);
    arrange(driver, vm);
    return driver.call(vm, request);
  };

const onVm = (request: Request, cases: Conformance['cases'] = {}): Conformance => ({
  handle: plainVm,
  request: () => request,
  cases,
});

const bootId = (id: number) => ({ request: 'KVM_SET_BOOT_CPU_ID', id }) as const;
const tscKhz = (khz: number) => ({ request: 'KVM_SET_TSC_KHZ', tscKhz: khz }) as const;
const clock = (flags = 0) => new StructValue({ clock: 0n, flags, realtime: 0n, hostTsc: 0n });

const spr15 = hostProfiles['spr-1.5'];
const { features } = spr15.platform;
const withoutScaling = {
  ...spr15,
  platform: { ...spr15.platform, features: { ...features, tscScaling: false } },
};

const encryptRegion = (
  request: 'KVM_MEMORY_ENCRYPT_REG_REGION' | 'KVM_MEMORY_ENCRYPT_UNREG_REGION',
) => {
  const asked = { request, region: new StructValue({ addr: 0n, size: 0n }) } as const;
  return onVm(asked, { 'encrypt-region.unsupported': askVm(asked) });
};

const device = (type = 4) => ({
  request: 'KVM_CREATE_DEVICE' as const,
  create: new StructValue({ type, fd: 0, flags: 0 }),
  fd: new FileValue(),
});
const identityMap = {
  request: 'KVM_SET_IDENTITY_MAP_ADDR',
  addr: new StructValue(0xfeff_c000n),
} as const;

export const vmSettings: ConformanceTable = {
  KVM_SET_BOOT_CPU_ID: onVm(bootId(0), {
    'set-boot-cpu-id.too-late': askVm(bootId(0), vcpuOf),
    'set-boot-cpu-id.range': [
      { title: 'of any VM', provoke: askVm(bootId(4097)) },
      {
        title: 'of this VM',
        provoke: askVm(bootId(9), (driver, vm) => driver.cap(vm, 'KVM_CAP_MAX_VCPU_ID', 8n)),
      },
    ],
  }),
  KVM_MEMORY_ENCRYPT_REG_REGION: encryptRegion('KVM_MEMORY_ENCRYPT_REG_REGION'),
  KVM_MEMORY_ENCRYPT_UNREG_REGION: encryptRegion('KVM_MEMORY_ENCRYPT_UNREG_REGION'),
  KVM_CREATE_DEVICE: {
    handle: plainVm,
    request: () => device(),
    cases: {
      'create-device.unknown': askVm(device(99)),
      'create-device.second': askVm(device(), (driver, vm) => driver.must(vm, device())),
      'argument.unwritable': askVm({ ...device(), fd: { writeFile: () => false } }),
    },
  },
  KVM_SET_TSS_ADDR: onVm(
    { request: 'KVM_SET_TSS_ADDR', addr: 0xffff_d000n },
    { 'set-tss-addr.range': askVm({ request: 'KVM_SET_TSS_ADDR', addr: 0xffff_d001n }) },
  ),
  KVM_SET_IDENTITY_MAP_ADDR: onVm(identityMap, {
    'set-identity-map-addr.too-late': askVm(identityMap, vcpuOf),
  }),
  KVM_SET_NR_MMU_PAGES: onVm(
    { request: 'KVM_SET_NR_MMU_PAGES', pages: 64n },
    { 'set-nr-mmu-pages.range': askVm({ request: 'KVM_SET_NR_MMU_PAGES', pages: 63n }) },
  ),
  KVM_GET_CLOCK: onVm({ request: 'KVM_GET_CLOCK', clock: clock() }),
  KVM_SET_CLOCK: onVm(
    { request: 'KVM_SET_CLOCK', clock: clock() },
    { 'set-clock.flags': askVm({ request: 'KVM_SET_CLOCK', clock: clock(16) }) },
  ),
  KVM_SET_TSC_KHZ: onVm(tscKhz(0), {
    'set-tsc-khz.range': askVm(tscKhz(0x7fff_ffff)),
    'set-tsc-khz.too-late': askVm(tscKhz(0), vcpuOf),
  }),
  KVM_GET_TSC_KHZ: onVm({ request: 'KVM_GET_TSC_KHZ' }),
  KVM_GET_STATS_FD: onVm({ request: 'KVM_GET_STATS_FD' }),
  KVM_KVMCLOCK_CTRL: {
    handle: tdVcpu,
    request: () => ({ request: 'KVM_KVMCLOCK_CTRL' }),
    cases: {
      'kvmclock-ctrl.no-kvmclock': [
        {
          title: 'a TD',
          provoke: (driver) => driver.call(tdVcpu(driver), { request: 'KVM_KVMCLOCK_CTRL' }),
        },
        {
          title: 'a guest that set none up',
          provoke: (driver) => driver.call(plainVcpu(driver), { request: 'KVM_KVMCLOCK_CTRL' }),
        },
      ],
    },
  },
  'KVM_SET_TSC_KHZ on a vCPU': {
    handle: plainVcpu,
    request: () => tscKhz(0),
    cases: {
      'set-tsc-khz.protected': (driver) => driver.setTscKhz(tdVcpu(driver), 0),
      'set-tsc-khz.range': (driver) => driver.setTscKhz(plainVcpu(driver), 0x7fff_ffff),
      'set-tsc-khz.too-slow': {
        profile: withoutScaling,
        provoke: (driver) => driver.setTscKhz(plainVcpu(driver), 1_000_000),
      },
    },
  },
  'KVM_GET_TSC_KHZ on a vCPU': {
    handle: plainVcpu,
    request: () => ({ request: 'KVM_GET_TSC_KHZ' }),
    cases: {},
  },
  'KVM_GET_STATS_FD on a vCPU': {
    handle: plainVcpu,
    request: () => ({ request: 'KVM_GET_STATS_FD' }),
    cases: {},
  },
};
