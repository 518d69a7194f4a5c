/** The `sim` host: the port's promises over the simulated machine. */
import { describe, expect, test } from 'vitest';
import { statusWord } from '../../src/abi/tdx/status.ts';
import { TdctlError } from '../../src/errors/index.ts';
import { KvmError } from '../../src/host/kvm-error.ts';
import type { TdxCapabilities, UserMemory } from '../../src/host/port.ts';
import {
  openSimulatedHost,
  type SimulatedHost,
  type SimulatedVm,
} from '../../src/host/simulated/index.ts';
import { stall } from '../../src/host/stall.ts';
import { type HostProfile, hostProfiles, injectorOf } from '../../src/simulator/index.ts';
import { privateMemory } from './private-memory.ts';

const page = 4096;
const identity = {
  mrConfigId: new Uint8Array(48),
  mrOwner: new Uint8Array(48),
  mrOwnerConfig: new Uint8Array(48),
};

/** What QEMU and tdctl do: every configurable leaf, with what the host supports of it. */
async function initVmParams(host: SimulatedHost, capabilities: TdxCapabilities) {
  const supported = await host.getSupportedCpuid();
  const cpuid = capabilities.configurableCpuid.map((leaf) => {
    const own = supported.find(
      (entry) =>
        entry.function === leaf.function && ((entry.flags & 1) === 0 || entry.index === leaf.index),
    );
    const indexed = leaf.index !== 0 || ((own?.flags ?? 0) & 1) !== 0;
    return {
      ...leaf,
      flags: indexed ? 1 : 0,
      eax: leaf.function === 0x8000_0008 ? 48 << 16 : (leaf.eax & (own?.eax ?? 0)) >>> 0,
      ebx: (leaf.ebx & (own?.ebx ?? 0)) >>> 0,
      ecx: (leaf.ecx & (own?.ecx ?? 0)) >>> 0,
      edx: (leaf.edx & (own?.edx ?? 0)) >>> 0,
    };
  });
  return {
    attributes: capabilities.supportedAttributes,
    xfam: capabilities.supportedXfam,
    ...identity,
    cpuid,
  };
}

async function initializedVm(host: SimulatedHost): Promise<SimulatedVm> {
  const vm = await host.createVm({ type: 'KVM_X86_TDX_VM' });
  await vm.enableCap({ capability: 'KVM_CAP_SPLIT_IRQCHIP', args: [24n] });
  await vm.tdxInitVm(await initVmParams(host, await vm.tdxCapabilities()));
  return vm;
}

async function builtTd(host: SimulatedHost, pages: number) {
  const vm = await initializedVm(host);
  const vcpu = await vm.createVcpu({ id: 0 });
  await vcpu.setCpuid2({ entries: await vcpu.tdxGetCpuid() });
  await vcpu.tdxInitVcpu({ initialRcx: 0x809000n });
  return { vm, vcpu, ...(await privateMemory(host, vm, BigInt(pages * page))) };
}

const refusal = (error: unknown) =>
  error instanceof KvmError ? `${error.request}: ${error.code}` : error;
const refused = (call: Promise<unknown>) => call.then(() => 'no refusal', refusal);

describe('the sim host', () => {
  // On `mismatch` KVM does not load: see below.
  test.each(Object.keys(hostProfiles).filter((name) => name !== 'mismatch'))(
    'takes a TD through its whole life on %s, and has every key slot back',
    async (profile) => {
      const host = openSimulatedHost({ profile });
      const before = await host.keySlots();
      const { vm, vcpu, memory, guestMemory } = await builtTd(host, 4);
      expect((await host.keySlots()).used).toBe(1);
      await vcpu.tdxInitMemRegion({
        source: memory,
        sourceOffsetBytes: 0n,
        gpa: 0n,
        pages: 2,
        measure: true,
      });
      expect(await vm.mrtd()).toBeUndefined();
      await vm.tdxFinalizeVm();
      expect(await vm.mrtd()).toHaveLength(48);
      for (const each of [vm, vcpu, guestMemory, memory]) await each.close();
      expect(await host.keySlots()).toEqual(before);
      expect(host.snapshot().hostPages).toEqual({ inUse: 0, leaked: 0 });
    },
  );

  test('says what it is', async () => {
    const host = openSimulatedHost({ profile: 'gnr-2.0', kernelAbi: 'posted-terminate-vm' });
    expect(await host.facts()).toEqual({
      kind: 'sim',
      name: 'sim:gnr-2.0',
      kernel: {
        rules: 'posted-terminate-vm',
        apiVersion: 12,
        hasMaxVcpusCap: false,
        takesMaxVcpusInInitVm: false,
        presentCpusBind: true,
        vcpusBeforeInitVm: false,
        sharesGuestMemory: 'no',
        initVmStruct: 'sized by nent',
        movesTds: false,
        memoryAttributesOf: 'the VM',
        hasTerminateVm: true,
      },
      module: { release: '2.0.08', maxVcpusPerTd: 1376 },
      platform: {
        packages: 4,
        presentCpus: 688,
        onlineCpus: 688,
        guestAddressWidths: [48, 52],
        tscKhz: 2_000_000,
      },
      kvm: { maxVcpus: 1024, maxVcpuIds: 4096 },
    });
    expect(host.tdxMissing).toBeUndefined();
  });

  test('an unknown profile or kernel names those there are', () => {
    for (const options of [{ profile: 'toString' }, { kernelAbi: 'linux-1.0' }]) {
      try {
        openSimulatedHost(options);
        expect.unreachable();
      } catch (error) {
        expect(error).toBeInstanceOf(TdctlError);
        expect(error).toMatchObject({ code: 'TDCTL_E_USAGE' });
        expect((error as TdctlError).hint).toMatch(/spr-1\.5|upstream-7\.3/);
      }
    }
  });

  test("a machine where KVM did not load is refused with the kernel's words", () => {
    const profile: HostProfile = {
      ...hostProfiles['spr-1.5'],
      module: { release: '1.5.28', maxVcpusPerTd: 64 },
    };
    try {
      openSimulatedHost({ profile });
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: 'TDCTL_E_HOST_UNSUPPORTED' });
      expect((error as TdctlError).details.join()).toContain('MAX_VCPU_PER_TD (64) smaller than');
    }
  });

  test('a machine without TDX still has KVM, and refuses a TD with EINVAL', async () => {
    const host = openSimulatedHost({
      profile: { ...hostProfiles['spr-1.5'], module: undefined },
    });
    expect(host.tdxMissing).toContain('module');
    expect((await host.facts()).module).toBeUndefined();
    expect(await refused(host.createVm({ type: 'KVM_X86_TDX_VM' }))).toBe('KVM_CREATE_VM: EINVAL');
    await host.createVm({ type: 'KVM_X86_DEFAULT_VM' });
  });

  test('a refusal of the module carries its status', async () => {
    const host = openSimulatedHost();
    const vm = await host.createVm({ type: 'KVM_X86_TDX_VM' });
    await vm.setTscKhz({ tscKhz: 99_999 });
    const params = await initVmParams(host, await vm.tdxCapabilities());
    await expect(vm.tdxInitVm(params)).rejects.toMatchObject({
      code: 'EINVAL',
      hwStatus: statusWord('TDX_OPERAND_INVALID', 'TSC_FREQUENCY'),
    });
  });

  test('KVM_TDX_TERMINATE_VM is EINVAL on Linux 7.3', async () => {
    const vm = await openSimulatedHost().createVm({ type: 'KVM_X86_TDX_VM' });
    expect(await refused(vm.tdxTerminateVm())).toBe('KVM_TDX_TERMINATE_VM: EINVAL');
  });

  test('a refused capability is named in the error, also on a closed VM', async () => {
    const capability = 'KVM_CAP_MAX_VCPUS';
    const vm = await openSimulatedHost().createVm({ type: 'KVM_X86_TDX_VM' });
    await expect(vm.enableCap({ capability, args: [4n] })).rejects.toMatchObject({
      message: 'KVM_ENABLE_CAP(KVM_CAP_MAX_VCPUS): EINVAL',
      capability,
    });
    await vm.close();
    await expect(vm.checkExtension(capability)).rejects.toMatchObject({
      code: 'EBADF',
      capability,
    });
  });

  test('every object closes twice without a word, and is EBADF afterwards', async () => {
    const host = openSimulatedHost();
    const { vm, vcpu, memory, guestMemory } = await builtTd(host, 1);
    for (const each of [vcpu, vm, guestMemory, memory, host]) {
      await each.close();
      await each.close();
    }
    expect(await refused(vm.tdxFinalizeVm())).toBe('KVM_TDX_FINALIZE_VM: EBADF');
    expect(await refused(vm.mrtd())).toContain('EBADF');
    expect(await refused(vcpu.tdxGetCpuid())).toBe('KVM_TDX_GET_CPUID: EBADF');
    expect(await refused(host.createVm({ type: 'KVM_X86_TDX_VM' }))).toBe('KVM_CREATE_VM: EBADF');
  });
});

describe('INIT_MEM_REGION at the port', () => {
  const region = (source: UserMemory, pages: number) => ({
    source,
    sourceOffsetBytes: 0n,
    gpa: 0n,
    pages,
    measure: false,
  });

  test('is one ioctl for each chunk, and reports each', async () => {
    const host = openSimulatedHost();
    const { vcpu, memory } = await builtTd(host, 1200);
    const progress: number[] = [];
    await vcpu.tdxInitMemRegion({
      ...region(memory, 1200),
      onProgress: (done) => progress.push(done),
    });
    expect(progress).toEqual([512, 1024, 1200]);
  });

  test('continues where a signal stopped the kernel', async () => {
    let signals = 3;
    const host = openSimulatedHost({
      faults: { signalBeforePage: (at) => at === 2 && signals-- > 0 },
    });
    const { vcpu, memory } = await builtTd(host, 20);
    await vcpu.tdxInitMemRegion(region(memory, 20));
    expect(host.snapshot().vms[0]?.td?.privatePages).toBe(20);
  });

  test.each(['EINTR', 'EAGAIN', 'EBUSY'] as const)(
    'is given up with %s after 30 s of simulated time without a page',
    async (errno) => {
      const always = { at: 'KVM_TDX_INIT_MEM_REGION', nth: 2, times: 'always', errno } as const;
      const host = openSimulatedHost({ faults: injectorOf([always]) });
      const { vcpu, memory } = await builtTd(host, 1200);
      const before = host.simulatedTimeNs();
      let tries = 0;
      host.onCall((event) => {
        if (event.kind === 'ioctl') tries++;
      });
      expect(await refused(vcpu.tdxInitMemRegion(region(memory, 1200)))).toBe(
        `KVM_TDX_INIT_MEM_REGION: ${errno}`,
      );
      const seconds = Number(host.simulatedTimeNs() - before) / 1e9;
      expect(seconds).toBeGreaterThanOrEqual(stall.timeoutMs / 1000);
      expect(seconds).toBeLessThan(stall.timeoutMs / 1000 + 1);
      // The pauses grow, so that the tries are few.
      expect(tries).toBeLessThan(400);
      expect(host.snapshot().vms[0]?.td?.privatePages).toBe(512);
    },
  );

  test('goes on for as long as pages get done, however often it is interrupted', async () => {
    const stops = { signalBeforePage: (page: number) => page === 1 };
    const host = openSimulatedHost({ faults: stops });
    const { vcpu, memory } = await builtTd(host, 600);
    await vcpu.tdxInitMemRegion(region(memory, 600));
    expect(host.snapshot().vms[0]?.td?.privatePages).toBe(600);
  });

  test.each(['TDH.MEM.PAGE.ADD', 'TDH.MEM.SEPT.ADD'] as const)(
    'ends where %s is busy for ever',
    async (at) => {
      const busy = { at, answer: 'TDX_OPERAND_BUSY', times: 'always' } as const;
      const host = openSimulatedHost({ faults: injectorOf([busy]) });
      const { vcpu, memory } = await builtTd(host, 4);
      const call = vcpu.tdxInitMemRegion(region(memory, 4));
      expect(await refused(call)).toMatch(/^KVM_TDX_INIT_MEM_REGION: E(INTR|BUSY)$/);
    },
  );

  test('an abort stops it between two chunks with EINTR', async () => {
    const host = openSimulatedHost();
    const { vcpu, memory } = await builtTd(host, 2000);
    const controller = new AbortController();
    const call = vcpu.tdxInitMemRegion({
      ...region(memory, 2000),
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    expect(await refused(call)).toBe('KVM_TDX_INIT_MEM_REGION: EINTR');
    expect(host.snapshot().vms[0]?.td?.privatePages).toBe(512);
  });

  test("no pages are the kernel's to refuse, and memory that is unmapped is EFAULT", async () => {
    const host = openSimulatedHost();
    const { vcpu, memory } = await builtTd(host, 4);
    expect(await refused(vcpu.tdxInitMemRegion(region(memory, 0)))).toContain('EINVAL');
    await memory.close();
    expect(await refused(vcpu.tdxInitMemRegion(region(memory, 1)))).toContain('EFAULT');
  });

  test('measures what was written to the source, at whatever offset and size', async () => {
    const measured = async (parts: readonly (readonly [number, number])[]) => {
      const host = openSimulatedHost();
      const { vm, vcpu, memory } = await builtTd(host, 4);
      const image = Uint8Array.from({ length: 4 * page }, (_, i) => (i * 7) & 0xff);
      for (const [start, end] of parts) {
        memory.write({ offsetBytes: BigInt(start), bytes: image.subarray(start, end) });
      }
      await vcpu.tdxInitMemRegion({ ...region(memory, 4), measure: true });
      await vm.tdxFinalizeVm();
      return Buffer.from((await vm.mrtd()) ?? []).toString('hex');
    };
    const whole = await measured([[0, 4 * page]]);
    expect(
      await measured([
        [0, 5000],
        [5000, 5001],
        [5001, 4 * page],
      ]),
    ).toBe(whole);
    expect(await measured([[0, 4 * page - 1]])).not.toBe(whole);
  });
});

describe('simulated memory', () => {
  test('refuses bytes outside the mapping with RangeError', async () => {
    const memory = await openSimulatedHost().mapMemory({ sizeBytes: 4096n });
    const write = (offsetBytes: bigint, length: number) => () =>
      memory.write({ offsetBytes, bytes: new Uint8Array(length) });
    expect(write(-1n, 1)).toThrow(RangeError);
    expect(write(4095n, 2)).toThrow(RangeError);
    expect(write(4095n, 1)).not.toThrow();
  });

  test('holds only pages that were written: a terabyte costs nothing', async () => {
    const memory = await openSimulatedHost().mapMemory({ sizeBytes: 1n << 40n });
    memory.write({ offsetBytes: (1n << 40n) - 1n, bytes: Uint8Array.of(7) });
    expect(memory.read(2n ** 40n - 1n, 1)).toEqual(Uint8Array.of(7));
    expect(memory.read(2n ** 40n - 4098n, 4)).toEqual(new Uint8Array(4));
  });
});

describe('the trace of the sim host', () => {
  test('reports leaves before the ioctl that made them, and stops when told to', async () => {
    const host = openSimulatedHost();
    const calls: string[] = [];
    const stop = host.onCall((event) => {
      if (event.kind === 'seamcall') calls.push(event.leaf);
      if (event.kind === 'ioctl') calls.push(`${event.request.request} ${event.answer.ok}`);
    });
    const vm = await initializedVm(host);
    expect(calls.indexOf('TDH.MNG.CREATE')).toBeLessThan(calls.indexOf('KVM_TDX_INIT_VM true'));
    stop();
    const length = calls.length;
    await vm.close();
    expect(calls).toHaveLength(length);
  });
});
