/** KVM_MEMORY_ENCRYPT_OP on a vCPU. */
import { moduleReleases } from '../../../../src/abi/tdx/module-releases.ts';
import { statusWord } from '../../../../src/abi/tdx/status.ts';
import {
  CpuidValue,
  type Handle,
  type HostProfile,
  hostProfiles,
  StructValue,
  type UserCpuid,
} from '../../../../src/simulator/index.ts';
import { type Driver, memoryWith } from '../../drive.ts';
import { command, faulting, memRegion, ramGpa } from '../../structs.ts';
import type { Call, Case, ConformanceTable } from './case.ts';
import { busy, other } from './statuses.ts';

/** Its module has dynamic PAMT, which one of the kernels turns on. */
export const withDynamicPamt = hostProfiles['gnr-2.0'];

/** With these vCPUs the last page but one of the first 2 MiB is taken, their metadata included. */
export const vcpusOfFirstRegion = 83;

/** Of the pages that are set aside for metadata, the last is not there. */
const almostFullOnceBuilt: HostProfile = {
  ...withDynamicPamt,
  platform: {
    ...withDynamicPamt.platform,
    // A TD with a vCPU and their metadata, a page of the guest, and one too few.
    memoryBytes: memoryWith(10 + 6 + 2 + 1 + 9, 'dynamic'),
  },
};

/** A vCPU of an initialised TD that has its CPUID. */
function preparedVcpu(driver: Driver): Handle {
  const vcpu = driver.must(driver.initializedTd(), { request: 'KVM_CREATE_VCPU', id: 0 });
  driver.setCpuid2(vcpu);
  return vcpu;
}

/** The first vCPU of a TD with memory. */
const builtVcpu = (driver: Driver): Handle => driver.builtTd().vcpus[0] ?? 0;

const initVcpuWhen =
  (arrange: (driver: Driver, vcpu: Handle) => void): Call =>
  (driver) => {
    const vcpu = preparedVcpu(driver);
    arrange(driver, vcpu);
    return driver.initVcpu(vcpu);
  };

const region =
  (change: Parameters<typeof memRegion>[0], flags = 0): Call =>
  (driver) =>
    driver.initMemRegion(builtVcpu(driver), memRegion(change), flags);

const regionWhen =
  (arrange: (driver: Driver, td: ReturnType<Driver['builtTd']>) => void): Call =>
  (driver) => {
    const td = driver.builtTd();
    arrange(driver, td);
    return driver.initMemRegion(td.vcpus[0] ?? 0, memRegion(), 1);
  };

const cpuidInto =
  (copies: Partial<UserCpuid>, nent = 256): Call =>
  (driver) => {
    const value = new CpuidValue(nent);
    const data = {
      readHeader: () => value.readHeader(),
      readEntries: () => value.entries,
      writeHeader: () => true,
      writeEntries: () => true,
      ...copies,
    };
    const cmd = command('KVM_TDX_GET_CPUID');
    return driver.call(preparedVcpu(driver), { request: 'KVM_TDX_GET_CPUID', cmd, data });
  };

const refusedLeaves = (
  leaves: readonly Parameters<Driver['failLeaf']>[0][],
  provoke: (leaf: Parameters<Driver['failLeaf']>[0]) => Call,
): readonly Case[] => leaves.map((leaf) => ({ title: leaf, provoke: provoke(leaf) }));

/** A host whose memory is used up by a TD with one vCPU and the page that it is given. */
const spr15 = hostProfiles['spr-1.5'];
const { tdcxPages, tdvpsPages } = moduleReleases['1.5.28'];
const taken = 1 + tdcxPages.base + tdvpsPages.base + 1;
export const fullOnceBuilt: HostProfile = {
  ...spr15,
  platform: { ...spr15.platform, memoryBytes: memoryWith(taken) },
};

export const tdxCommandsOnVcpus: ConformanceTable = {
  'KVM_MEMORY_ENCRYPT_OP on a vCPU': {
    handle: preparedVcpu,
    request: () => ({
      request: 'KVM_MEMORY_ENCRYPT_OP',
      cmd: new StructValue({ id: 99, flags: 0, data: 0n, hwError: 0n }),
    }),
    cases: {},
  },
  KVM_TDX_INIT_VCPU: {
    handle: preparedVcpu,
    request: () => ({ request: 'KVM_TDX_INIT_VCPU', cmd: command('KVM_TDX_INIT_VCPU') }),
    cases: {
      'init-vcpu.flags': (driver) =>
        driver.initVcpu(preparedVcpu(driver), command('KVM_TDX_INIT_VCPU', { flags: 1 })),
      'init-vcpu.done-already': (driver) => driver.initVcpu(builtVcpu(driver)),
      'init-vcpu.no-x2apic': initVcpuWhen((driver, vcpu) => driver.setCpuid2(vcpu, [])),
      'init-vcpu.no-memory': initVcpuWhen((driver) =>
        driver.failAt('KVM_TDX_INIT_VCPU: allocate TDVPR and TDCX', 'ENOMEM'),
      ),
      'init-vcpu.module-refused': refusedLeaves(
        ['TDH.VP.CREATE', 'TDH.VP.ADDCX', 'TDH.VP.INIT'],
        (leaf) => initVcpuWhen((driver) => driver.failLeaf(leaf, other)),
      ),
    },
  },
  KVM_TDX_INIT_MEM_REGION: {
    handle: builtVcpu,
    request: () => ({
      request: 'KVM_TDX_INIT_MEM_REGION',
      cmd: command('KVM_TDX_INIT_MEM_REGION'),
      data: memRegion(),
    }),
    cases: {
      'init-mem-region.vcpu-not-initialised': (driver) =>
        driver.initMemRegion(preparedVcpu(driver)),
      'init-mem-region.flags': region({}, 2),
      'init-mem-region.unreadable': (driver) =>
        driver.initMemRegion(builtVcpu(driver), faulting(memRegion(), 'read')),
      'init-mem-region.source-zero': region({ sourceAddr: 0n }),
      'init-mem-region.source-unaligned': region({ sourceAddr: 1n }),
      'init-mem-region.range': [
        { title: 'unaligned', provoke: region({ gpa: ramGpa + 1n }) },
        { title: 'no pages', provoke: region({ nrPages: 0n }) },
        { title: 'wraps', provoke: region({ gpa: (1n << 64n) - 4096n, nrPages: 2n }) },
      ],
      'init-mem-region.not-private': region({ gpa: 1n << 47n }),
      'init-mem-region.interrupted': [
        {
          title: 'before a page',
          provoke: regionWhen((driver) => {
            driver.signal = 'ordinary';
          }),
        },
      ],
      'init-mem-region.no-slot': region({ gpa: 0x4000_0000n }),
      'init-mem-region.memfd-closed': regionWhen((driver, { guestMemfd }) =>
        driver.release(guestMemfd),
      ),
      'init-mem-region.source-unreadable': regionWhen((driver) => {
        driver.unreadable.add(memRegion().value.sourceAddr);
      }),
      'init-mem-region.no-page': regionWhen((driver) =>
        driver.failAt('KVM_TDX_INIT_MEM_REGION: get the guest_memfd page', 'EHWPOISON'),
      ),
      'init-mem-region.attribute-shared': regionWhen((driver, { vm }) =>
        driver.setPrivate(vm, ramGpa, 16, false),
      ),
      'init-mem-region.added-already': regionWhen((driver, { vcpus }) =>
        driver.initMemRegion(vcpus[0] ?? 0),
      ),
      'init-mem-region.no-table': { profile: fullOnceBuilt, provoke: region({}) },
      'init-mem-region.no-pamt': [
        {
          title: 'not one page',
          profile: withDynamicPamt,
          provoke: regionWhen((driver) =>
            driver.failAt('KVM_TDX_INIT_MEM_REGION: allocate for dynamic PAMT', 'ENOMEM'),
          ),
        },
        { title: 'a page too few', profile: almostFullOnceBuilt, provoke: region({}) },
      ],
      'init-mem-region.pamt-refused': {
        profile: withDynamicPamt,
        provoke: (driver) => {
          const { vcpus } = driver.builtTd(vcpusOfFirstRegion);
          driver.failLeaf('TDH.PHYMEM.PAMT.ADD', other);
          return driver.initMemRegion(vcpus[0] ?? 0);
        },
      },
      'init-mem-region.busy': regionWhen((driver) => driver.failLeaf('TDH.MEM.PAGE.ADD', busy)),
      'init-mem-region.module-refused': refusedLeaves(
        ['TDH.MEM.SEPT.ADD', 'TDH.MEM.PAGE.ADD', 'TDH.MR.EXTEND'],
        (leaf) => regionWhen((driver) => driver.failLeaf(leaf, other)),
      ),
      'init-mem-region.unwritable': (driver) =>
        driver.initMemRegion(builtVcpu(driver), faulting(memRegion(), 'write')),
    },
  },
  KVM_TDX_GET_CPUID: {
    handle: preparedVcpu,
    request: () => ({
      request: 'KVM_TDX_GET_CPUID',
      cmd: command('KVM_TDX_GET_CPUID'),
      data: new CpuidValue(256),
    }),
    cases: {
      'get-cpuid.no-memory': (driver) => {
        driver.failAt('KVM_TDX_GET_CPUID: allocate', 'ENOMEM');
        return driver.getCpuid(preparedVcpu(driver));
      },
      'get-cpuid.unreadable': cpuidInto({ readHeader: () => undefined }),
      'get-cpuid.module-refused': (driver) => {
        const vcpu = preparedVcpu(driver);
        driver.failLeaf('TDH.MNG.RD', statusWord('TDX_METADATA_FIELD_NOT_READABLE'));
        return driver.getCpuid(vcpu);
      },
      'get-cpuid.nent-unwritable': cpuidInto({ writeHeader: () => false }),
      'get-cpuid.buffer-too-small': cpuidInto({}, 1),
      'get-cpuid.entries-unwritable': cpuidInto({ writeEntries: () => false }),
    },
  },
};
