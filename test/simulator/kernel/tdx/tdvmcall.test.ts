/** What the guest asks, what user space sees of it, and what the guest gets. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type {
  GuestEvent,
  RunningVcpu,
  RunPageInput,
  TdVmCall,
  VcpuExit,
} from '../../../../src/simulator/index.ts';
import { Driver } from '../../drive.ts';
import { addressSizes, x2apicLeaf } from '../../structs.ts';

const shared = 1n << 47n;
const mib = 1n << 20n;
const SUCCESS = 0n;
const RETRY = 1n;
const INVALID_OPERAND = 1n << 63n;
const ALIGN_ERROR = INVALID_OPERAND | 2n;
const SUBFUNC_UNSUPPORTED = INVALID_OPERAND | 3n;

const addresses = [
  x2apicLeaf,
  { ...addressSizes, function: 0x8000_0000, eax: 0x8000_0008 },
  { ...addressSizes, eax: 52 },
];

/** A TD whose guest makes one call, then tells what it got and shuts down. */
function guestThat(call: TdVmCall, options: { mapGpaExits?: boolean } = {}) {
  const seen: (RunningVcpu['tdvmcall'] | undefined)[] = [];
  const signalled: number[] = [];
  const events: GuestEvent[] = [call];
  const driver = new Driver({
    signalEventfd: (id) => signalled.push(id),
    guest: {
      run: ({ tdvmcall }) => {
        seen.push(tdvmcall);
        return events.shift() ?? { reason: 'KVM_EXIT_SHUTDOWN' };
      },
    },
  });
  const vm = driver.initializedTd();
  if (options.mapGpaExits !== false) driver.cap(vm, 'KVM_CAP_EXIT_HYPERCALL', 1n << 12n);
  const vcpu = driver.createVcpu(vm, 0) as number;
  driver.setCpuid2(vcpu, addresses);
  driver.initVcpu(vcpu);
  driver.finalizeVm(vm);
  const run = async (input: Partial<RunPageInput> = {}) => {
    const running = driver.run(vcpu, input);
    const result = await running.result;
    return { result, exit: running.exits.at(-1) as VcpuExit };
  };
  /** What the guest got, once it was entered again. */
  const got = () => seen.at(-1);
  return { driver, vm, vcpu, run, got, signalled };
}

const mapGpa = (gpa: bigint, size: bigint): TdVmCall => ({ tdvmcall: 'MapGPA', gpa, size });
const shutdown = { reason: 'KVM_EXIT_SHUTDOWN' };

describe('MapGPA', () => {
  test('exits as KVM_HC_MAP_GPA_RANGE, without the shared bit, and 0 goes on', async () => {
    const { run, got } = guestThat(mapGpa(shared | 0x1000n, 0x3000n));
    expect((await run()).exit).toEqual({
      reason: 'KVM_EXIT_HYPERCALL',
      nr: 12,
      args: [0x1000n, 3n, 0n],
      flags: 1n,
    });
    expect((await run()).exit).toEqual(shutdown);
    expect(got()).toEqual({ r10: SUCCESS });
  });

  test('to private is said by its third argument', async () => {
    const { run } = guestThat(mapGpa(0x1000n, 0x1000n));
    expect((await run()).exit).toMatchObject({ args: [0x1000n, 1n, 0x10n] });
  });

  test('comes in pieces of 2 MiB, one KVM_RUN each, also with immediate_exit', async () => {
    const { run, got } = guestThat(mapGpa(shared, 5n * mib));
    expect((await run()).exit).toMatchObject({ args: [0n, 512n, 0n] });
    const second = await run({ immediateExit: true });
    expect(second.result).toBe(0);
    expect(second.exit).toMatchObject({ args: [2n * mib, 512n, 0n] });
    expect((await run()).exit).toMatchObject({ args: [4n * mib, 256n, 0n] });
    expect((await run({ immediateExit: true })).result).toBe('EINTR');
    expect((await run()).exit).toEqual(shutdown);
    expect(got()).toEqual({ r10: SUCCESS });
  });

  test.each([
    [11n, RETRY],
    [22n, INVALID_OPERAND],
  ])('user space answers %i: the guest learns how far it got', async (result, status) => {
    const { run, got } = guestThat(mapGpa(shared, 5n * mib));
    await run();
    await run();
    expect((await run({ result })).exit).toEqual(shutdown);
    expect(got()).toEqual({ r10: status, r11: shared | (2n * mib) });
  });

  test('any other answer makes KVM_RUN fail, once', async () => {
    const { run } = guestThat(mapGpa(shared, 0x1000n));
    await run();
    expect((await run({ result: 5n })).result).toBe('EINVAL');
    expect((await run()).exit).toEqual(shutdown);
  });

  test('an event that waits between pieces sends the guest back to handle it', async () => {
    const { driver, vcpu, run, got } = guestThat(mapGpa(shared, 5n * mib));
    await run();
    driver.call(vcpu, { request: 'KVM_NMI' });
    expect((await run()).exit).toEqual(shutdown);
    expect(got()).toEqual({ r10: RETRY, r11: shared | (2n * mib) });
  });

  test.each([
    ['an empty range', 0x1000n, 0n, INVALID_OPERAND],
    ['a range that wraps', 0x1000n, 2n ** 64n - 0x1000n, INVALID_OPERAND],
    ['an address beyond the guest’s width', 1n << 52n, 0x1000n, INVALID_OPERAND],
    ['private memory and shared', shared - 0x1000n, 0x2000n, INVALID_OPERAND],
    ['an unaligned start', 0x1001n, 0x1000n, ALIGN_ERROR],
    ['an unaligned size', 0x1000n, 0x1001n, ALIGN_ERROR],
  ])('%s never exits', async (_, gpa, size, status) => {
    const { run, got } = guestThat(mapGpa(gpa, size));
    expect((await run()).exit).toEqual(shutdown);
    expect(got()).toEqual({ r10: status, r11: gpa });
  });

  test('the pieces of any range follow each other and cover it', async () => {
    const anyPages = fc.bigInt({ min: 1n, max: 4000n });
    const anyStart = fc.bigInt({ min: 0n, max: 1n << 30n });
    await fc.assert(
      fc.asyncProperty(anyStart, anyPages, fc.boolean(), async (start, pages, isShared) => {
        const gpa = (start * 0x1000n) | (isShared ? shared : 0n);
        const { run, got } = guestThat(mapGpa(gpa, pages * 0x1000n));
        let covered = 0n;
        for (;;) {
          const { exit } = await run();
          if (exit.reason !== 'KVM_EXIT_HYPERCALL') break;
          const [at = 0n, count = 0n, attribute] = exit.args;
          expect([at, attribute]).toEqual([(start + covered) * 0x1000n, isShared ? 0n : 0x10n]);
          expect(count > 0n && count <= 512n).toBe(true);
          covered += count;
        }
        expect([covered, got()]).toEqual([pages, { r10: SUCCESS }]);
      }),
      { numRuns: 30 },
    );
  });

  test('without KVM_CAP_EXIT_HYPERCALL there is nobody to ask', async () => {
    const { run, got } = guestThat(mapGpa(0x1001n, 0n), { mapGpaExits: false });
    expect((await run()).exit).toEqual(shutdown);
    expect(got()).toEqual({ r10: SUBFUNC_UNSUPPORTED, r11: 0x1001n });
  });
});

describe('other calls', () => {
  test('GetQuote exits with the shared bit off, and its ret is what the guest gets', async () => {
    const { run, got } = guestThat({ tdvmcall: 'GetQuote', gpa: shared | 0x5001n, size: 7n });
    expect((await run()).exit).toEqual({
      reason: 'KVM_EXIT_TDX',
      nr: 0x10002,
      ret: SUBFUNC_UNSUPPORTED,
      data: [0x5001n, 7n],
    });
    await run({ result: RETRY });
    expect(got()).toEqual({ r10: RETRY });
  });

  test('GetTdVmCallInfo: leaf 1 is user space’s, with four registers', async () => {
    const { run, got } = guestThat({ tdvmcall: 'GetTdVmCallInfo', leaf: 1n });
    expect((await run()).exit).toEqual({
      reason: 'KVM_EXIT_TDX',
      nr: 0x10000,
      ret: SUCCESS,
      data: [1n, 0n, 0n, 0n, 0n],
    });
    await run({ result: 0n, tdVmCallInfo: [2n, 3n, 4n, 5n] });
    expect(got()).toEqual({ r10: SUCCESS, r11: 2n, r12: 3n, r13: 4n, r14: 5n });
  });

  test.each([
    [
      'GetQuote of private memory',
      { tdvmcall: 'GetQuote', gpa: 0x5000n, size: 1n },
      INVALID_OPERAND,
    ],
    [
      'an interrupt vector below 32',
      { tdvmcall: 'SetupEventNotifyInterrupt', vector: 31n },
      INVALID_OPERAND,
    ],
    [
      'an interrupt vector above 255',
      { tdvmcall: 'SetupEventNotifyInterrupt', vector: 256n },
      INVALID_OPERAND,
    ],
    ['GetTdVmCallInfo of leaf 2', { tdvmcall: 'GetTdVmCallInfo', leaf: 2n }, INVALID_OPERAND],
    ['a leaf that KVM does not know', { tdvmcall: 'other', leaf: 0x10005n }, SUBFUNC_UNSUPPORTED],
    [
      'port I/O of 8 bytes',
      { tdvmcall: 'Instruction.IO', direction: 'in', port: 1, sizeBytes: 8, data: 0n },
      INVALID_OPERAND,
    ],
    [
      'MMIO of private memory',
      { tdvmcall: '#VE.RequestMMIO', isWrite: true, gpa: 1n, sizeBytes: 4, data: 0n },
      INVALID_OPERAND,
    ],
  ] as const)('%s is answered in the kernel', async (_, call, status) => {
    const { run, got } = guestThat(call);
    expect((await run()).exit).toEqual(shutdown);
    expect(got()).toEqual({ r10: status });
  });

  test('GetTdVmCallInfo of leaf 0 is success and zeros', async () => {
    const { run, got } = guestThat({ tdvmcall: 'GetTdVmCallInfo', leaf: 0n });
    await run();
    expect(got()).toEqual({ r10: SUCCESS, r11: 0n, r12: 0n, r13: 0n, r14: 0n });
  });

  test('SetupEventNotifyInterrupt exits with its vector', async () => {
    const { run } = guestThat({ tdvmcall: 'SetupEventNotifyInterrupt', vector: 0x40n });
    expect((await run()).exit).toMatchObject({ nr: 0x10004, data: [0x40n] });
  });

  test('ReportFatalError dumps the registers in the order of x86', async () => {
    const registers = { rcx: 1n, rdi: 2n, r12: 3n, r15: 4n };
    const { run } = guestThat({ tdvmcall: 'ReportFatalError', registers });
    expect((await run()).exit).toEqual({
      reason: 'KVM_EXIT_SYSTEM_EVENT',
      type: 7,
      data: [77n, 1n, 0n, 0n, 0n, 0n, 0n, 2n, 0n, 0n, 0n, 0x10003n, 3n, 0n, 0n, 4n],
    });
  });

  test('an IN and an MMIO read give the guest what user space found', async () => {
    const io = { direction: 'in', port: 0x1_0071, sizeBytes: 1, data: 9n } as const;
    const mmio = { isWrite: false, gpa: shared | 0xfec0_0000n, sizeBytes: 4, data: 9n } as const;
    const reads: [TdVmCall, VcpuExit][] = [
      [
        { tdvmcall: 'Instruction.IO', ...io },
        { reason: 'KVM_EXIT_IO', direction: 'in', port: 0x71, sizeBytes: 1, data: 0n },
      ],
      [
        { tdvmcall: '#VE.RequestMMIO', ...mmio },
        { reason: 'KVM_EXIT_MMIO', physAddr: 0xfec0_0000n, data: 0n, len: 4, isWrite: false },
      ],
    ];
    for (const [call, exit] of reads) {
      const { run, got } = guestThat(call);
      expect((await run()).exit).toEqual(exit);
      await run({ result: 0x55n });
      expect(got()).toEqual({ r10: SUCCESS, r11: 0x55n });
    }
  });

  test('a write exits with its bytes alone, and the guest goes on', async () => {
    const call = { isWrite: true, gpa: shared | 0x1000n, sizeBytes: 2, data: 0x12345n } as const;
    const { run, got } = guestThat({ tdvmcall: '#VE.RequestMMIO', ...call });
    expect((await run()).exit).toMatchObject({ data: 0x2345n, len: 2, isWrite: true });
    await run();
    expect(got()).toEqual({ r10: SUCCESS });
  });

  test('a write that hits an ioeventfd signals it and never exits', async () => {
    const call = { isWrite: true, gpa: shared | 0xfe00_0000n, sizeBytes: 4, data: 5n } as const;
    const matching = guestThat({ tdvmcall: '#VE.RequestMMIO', ...call });
    matching.driver.ioeventfd(matching.vm, { flags: 1, datamatch: 5n });
    expect((await matching.run()).exit).toEqual(shutdown);
    expect([matching.signalled, matching.got()]).toEqual([[2], { r10: SUCCESS }]);
    const other = guestThat({ tdvmcall: '#VE.RequestMMIO', ...call });
    other.driver.ioeventfd(other.vm, { flags: 1, datamatch: 6n });
    expect((await other.run()).exit).toMatchObject({ reason: 'KVM_EXIT_MMIO' });
    expect(other.signalled).toEqual([]);
  });

  test('a guest that is no TD gets an exception, and shuts down', async () => {
    const driver = new Driver({ guest: { run: () => mapGpa(shared, 0x1000n) } });
    const vcpu = driver.createVcpu(driver.createVm('KVM_X86_DEFAULT_VM'), 0) as number;
    const running = driver.run(vcpu);
    expect(await running.result).toBe(0);
    expect(running.exits).toEqual([shutdown]);
  });

  test('a guest that asks without end can be cancelled', async () => {
    const driver = new Driver({ guest: { run: () => ({ tdvmcall: 'other', leaf: 0n }) } });
    const { vcpus } = driver.runnableTd();
    const running = driver.run(vcpus[0] as number);
    await new Promise((resolve) => setTimeout(resolve));
    running.cancel();
    expect(await running.result).toBe('EINTR');
  });
});
