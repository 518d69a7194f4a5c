/** What a trace shows of a call, from what the kernel model copied. */
import { describe, expect, test } from 'vitest';
import { StructValue } from '../../src/simulator/index.ts';
import {
  type CallRecord,
  DigestingMemory,
  ObjectNames,
  ThreadNames,
  traceText,
} from '../../src/trace/index.ts';
import { Driver } from '../simulator/drive.ts';
import { command, faulting, memRegion } from '../simulator/structs.ts';
import { recordTrace } from './recorder.ts';

function calls(run: (driver: Driver) => unknown): CallRecord[] {
  const driver = new Driver();
  const records = recordTrace(driver.machine);
  run(driver);
  return records.filter((record) => record.kind === 'call');
}

const last = (run: (driver: Driver) => unknown) => calls(run).at(-1) as CallRecord;
const lines = (run: (driver: Driver) => unknown) => calls(run).map(traceText);

describe('a call is shown', () => {
  test('by the kernel’s names, its descriptors by what they stand for', () => {
    expect(lines((driver) => driver.builtTd())).toEqual([
      'T0  sys#0.KVM_CREATE_VM(type=KVM_X86_TDX_VM) = fd [vm#1]',
      'T0  vm#1.KVM_ENABLE_CAP(cap=KVM_CAP_SPLIT_IRQCHIP, flags=0x0, args=[0x18]) = 0',
      'T0  vm#1.KVM_TDX_INIT_VM(flags=0x0, nent=1, attributes=0x10000000, xfam=0x3, max_vcpus=8, ' +
        'mrconfigid=0x0, mrowner=0x0, mrownerconfig=0x0, cpuid=[1 lines]) = 0\n' +
        '      cpuid 0x80000008.0 eax=0x300000 ebx=0x0 ecx=0x0 edx=0x0',
      'T0  vm#1.KVM_CREATE_VCPU(id=0) = fd [vcpu#2]',
      'T0  vcpu#2.KVM_SET_CPUID2(nent=1, cpuid=[1 lines]) = 0\n' +
        '      cpuid 0x1.0 eax=0x0 ebx=0x0 ecx=0x200000 edx=0x0',
      'T0  vcpu#2.KVM_TDX_INIT_VCPU(flags=0x0, data=0x0) = 0',
      'T0  vm#1.KVM_CREATE_GUEST_MEMFD(size=0x10000, flags=0x0) = fd [gmem#3]',
      'T0  vm#1.KVM_SET_USER_MEMORY_REGION2(slot=0, flags=0x4, guest_phys_addr=0x100000, ' +
        'memory_size=0x10000, guest_memfd_offset=0x0, guest_memfd=gmem#3) = 0',
      'T0  vm#1.KVM_SET_MEMORY_ATTRIBUTES(address=0x100000, size=0x10000, attributes=0x8, flags=0x0) = 0',
    ]);
  });

  test('with what came back: what is left of a region, and room that is missing', () => {
    const interrupted = last((driver) => {
      const { vcpus } = driver.builtTd();
      driver.signalBeforePage = 1;
      driver.initMemRegion(vcpus[0] as number, memRegion({ nrPages: 3n }), 1);
    });
    expect(traceText(interrupted)).toBe(
      'T0  vcpu#2.KVM_TDX_INIT_MEM_REGION(flags=0x1, gpa=0x100000, nr_pages=0x3, ' +
        'out={gpa=0x101000, nr_pages=0x2}) = EINTR check=init-mem-region.interrupted',
    );
    const found = last((driver) => driver.getCpuid(driver.builtTd().vcpus[0] as number));
    const { nent, out } = found.args as { nent: number; out: { nent: number; cpuid: unknown[] } };
    expect(nent).toBe(256);
    expect(out.cpuid).toHaveLength(out.nent);
  });

  test('with the status of the module, named', () => {
    const refused = last((driver) => driver.finalizeVm(driver.initializedTd()));
    expect(refused.outcome).toEqual({
      errno: 'EIO',
      check: 'finalize-vm.module-refused',
      hwError: '0xc000060900000000',
    });
    expect(traceText(refused)).toMatch(
      / = EIO check=finalize-vm\.module-refused hw_error=0xc000060900000000 \(TDX_NO_VCPUS\)$/,
    );
  });

  test('without a struct that a refusal came before', () => {
    const { args } = last((driver) => {
      const vm = driver.initializedTd();
      driver.initVm(vm);
    });
    expect(args).toEqual({ flags: '0x0' });
  });

  test('with the copy that faulted, by its number where it was not the first', () => {
    const { args } = last((driver) => {
      const vm = driver.createTd();
      driver.initVm(vm, {}, faulting(command('KVM_TDX_INIT_VM'), 'read'));
    });
    expect(args).toEqual({ faults: ['cmd.read'] });
    const second = last((driver) => {
      const [vcpu = 0] = driver.builtTd().vcpus;
      const cmd = faulting(command('KVM_TDX_GET_CPUID'), 'second read');
      driver.call(vcpu, { request: 'KVM_TDX_GET_CPUID', cmd, data: {} as never });
    });
    expect(second.args).toEqual({ flags: '0x0', faults: ['cmd.read#2'] });
  });

  test('with no address of the caller, but what is wrong with one', () => {
    const at = (sourceAddr: bigint) =>
      last((driver) => {
        const { vcpus } = driver.builtTd();
        driver.initMemRegion(vcpus[0] as number, memRegion({ sourceAddr }));
      }).args;
    expect(at(0x7f00_0000_0000n)).toEqual(at(0x7f11_1111_1000n));
    expect(at(0n)).toMatchObject({ source_addr: 'null' });
    expect(at(0x7f00_0000_0010n)).toMatchObject({ source_addr: 'unaligned' });
  });

  test('the same whatever the memory and the values of reserved fields that are 0', () => {
    const reserved = last((driver) => driver.initVm(driver.createTd(), { reserved: [0n, 0n] }));
    expect(reserved.args).not.toHaveProperty('reserved');
    const used = last((driver) => driver.initVm(driver.createTd(), { reserved: [0n, 5n] }));
    expect(used.args).toMatchObject({ reserved: ['0x0', '0x5'] });
    expect(used.outcome).toEqual({ errno: 'EINVAL', check: 'init-vm.reserved' });
  });

  test('a measurement or an owner in full', () => {
    const mrOwner = Uint8Array.from({ length: 48 }, (_, index) => index);
    const { args } = last((driver) => driver.initVm(driver.createTd(), { mrOwner }));
    expect(args.mrowner).toBe(`0x${Buffer.from(mrOwner).toString('hex')}`);
  });

  test('without times, and without which eventfd it was', () => {
    const clock = new StructValue({ clock: 5n, flags: 0, realtime: 6n, hostTsc: 7n });
    const irqfd = new StructValue({
      eventfd: { id: 1234 },
      gsi: 5,
      flags: 0,
      resamplefd: 'not open' as const,
    });
    const [set, get, wired] = calls((driver) => {
      const vm = driver.createTd();
      driver.call(vm, { request: 'KVM_SET_CLOCK', clock });
      driver.call(vm, { request: 'KVM_GET_CLOCK', clock });
      driver.call(vm, { request: 'KVM_IRQFD', irqfd });
    }).slice(-3);
    expect(JSON.stringify([set, get])).not.toMatch(/realtime|host_tsc|"clock"/);
    expect(wired?.args).toEqual({ eventfd: 'open', gsi: 5, flags: '0x0', resamplefd: 'not open' });
  });

  test('MSRs that are set with their values, those that are read without', () => {
    const entries = [{ index: 0x8b, data: 5n }];
    const msrs = {
      readCount: () => entries.length,
      readEntries: () => entries,
      writeEntries: () => true,
    };
    const [set, get] = calls((driver) => {
      const [vcpu = 0] = driver.builtTd().vcpus;
      driver.call(vcpu, { request: 'KVM_SET_MSRS', msrs });
      driver.call(vcpu, { request: 'KVM_GET_MSRS', msrs });
    }).slice(-2);
    expect(set?.args).toEqual({ count: 1, msrs: ['0x8b:0x5'] });
    expect(get?.args).toMatchObject({ count: 1, msrs: ['0x8b'] });
  });

  test('state that is moved whole by its size', () => {
    const state = { read: (length: number) => new Uint8Array(length), write: () => true };
    const { args } = last((driver) => {
      const vcpu = driver.must(driver.createVm('KVM_X86_DEFAULT_VM'), {
        request: 'KVM_CREATE_VCPU',
        id: 0,
      });
      driver.call(vcpu, { request: 'KVM_SET_REGS', state });
    });
    expect(args).toEqual({ bytes: 144 });
  });

  test('an unknown command by its number', () => {
    const { request, args } = last((driver) => {
      const cmd = new StructValue({ id: 77, flags: 0, data: 0n, hwError: 0n });
      driver.call(driver.createTd(), { request: 'KVM_MEMORY_ENCRYPT_OP', cmd });
    });
    expect([request, args]).toEqual(['KVM_MEMORY_ENCRYPT_OP', { id: 77, flags: '0x0' }]);
  });
});

test('KVM_RUN is shown with its exit, and with what user space answered to the one before', async () => {
  const driver = new Driver({
    guest: {
      run: ({ result }) =>
        result === 0n
          ? {
              reason: 'KVM_EXIT_HYPERCALL',
              nr: 12,
              args: [0x1000000n, 512n, 0n],
              flags: 1n,
            }
          : { reason: 'KVM_EXIT_IO', direction: 'out', port: 0x402, sizeBytes: 1, data: 0x41n },
    },
  });
  const records = recordTrace(driver.machine);
  const [vcpu = 0] = driver.runnableTd().vcpus;
  await driver.run(vcpu).result;
  await driver.run(vcpu, { result: 11n }).result;
  await driver.run(vcpu, { immediateExit: true }).result;
  expect(records.slice(-3).map(traceText)).toEqual([
    'T0  vcpu#2.KVM_RUN(exit={reason=KVM_EXIT_HYPERCALL, nr=KVM_HC_MAP_GPA_RANGE, ' +
      'args=[0x1000000, 0x200, 0x0], flags=0x1}) = 0',
    'T0  vcpu#2.KVM_RUN(result=0xb, exit={reason=KVM_EXIT_IO, direction=out, port=0x402, ' +
      'size_bytes=1, data=0x41}) = 0',
    'T0  vcpu#2.KVM_RUN(immediate_exit=true) = EINTR check=run.immediate-exit',
  ]);
});

test('pages that went into a TD are shown by the digest that sha256sum gives them', () => {
  const zeros = { read: (_: bigint, length: number) => new Uint8Array(length) };
  const memory = new DigestingMemory(zeros);
  expect(memory.digest()).toBeUndefined();
  memory.read(0n, 0x1000);
  expect(memory.digest()).toBe(
    'sha256:ad7facb2586fc6e966c004d7d1d16b024f5805ff7cb47c7a85dabd8b48892ca7',
  );
});

test('names count what is made, and threads in the order they call', () => {
  const objects = new ObjectNames();
  expect([objects.add('sys', 7), objects.add('vm', 3)]).toEqual(['sys#0', 'vm#1']);
  expect([objects.nameOf(3), objects.nameOf(4)]).toEqual(['vm#1', undefined]);
  const threads = new ThreadNames();
  const seen = [
    { pid: 10, tid: 10 },
    { pid: 10, tid: 12 },
    { pid: 20, tid: 20 },
    { pid: 10, tid: 12 },
    { pid: 20, tid: 21 },
  ].map((thread) => threads.nameOf(thread));
  expect(seen).toEqual(['T0', 'T1', 'P2.T0', 'T1', 'P2.T1']);
});
