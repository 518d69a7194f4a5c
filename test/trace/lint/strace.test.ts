/** The output of strace: its forms, its descriptors, and what it does not say. */
import { readFileSync } from 'node:fs';
import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import type { TraceRecord } from '../../../src/trace/index.ts';
import { isCall, type TracedStep } from '../../../src/trace/lint/traced.ts';
import type { Driver } from '../../simulator/drive.ts';
import { memRegion, ramGpa } from '../../simulator/structs.ts';
import { ids, judgedText, opened, recorded, straceOf } from './judged.ts';

const fixture = (name: string) => readFileSync(`test/fixtures/traces/${name}`, 'utf8');

async function read(text: string) {
  const trace = await opened(text.split('\n'));
  if (trace === undefined) throw new Error('this is no trace');
  const steps: TracedStep[] = [];
  for await (const some of trace.steps) steps.push(...some);
  return { format: trace.format, steps, ...trace.end() };
}

/** `vm#1.KVM_CREATE_VCPU(id=1) = vcpu#3`, and `close vm#1`. */
function shown({ steps }: Awaited<ReturnType<typeof read>>): string[] {
  return steps.map(({ record }) => {
    if (record.kind === 'close') return `close ${record.object}`;
    if (record.kind === 'end') return 'end';
    const { outcome } = record;
    const answer =
      'errno' in outcome
        ? outcome.errno
        : 'value' in outcome
          ? (outcome.made ?? String(outcome.value))
          : 'interrupted';
    if (record.kind === 'open') return `open = ${answer}`;
    const args = Object.entries(record.args).map(([name, value]) => `${name}=${value}`);
    return `${record.object}.${record.request}(${args.join(', ')}) = ${answer}`;
  });
}

describe('a real trace, of an ordinary VM', () => {
  test('with -y: every call is read, by the descriptor that it went to', async () => {
    const trace = await read(fixture('plain-vm.strace'));
    expect(trace).toMatchObject({ format: 'strace', tellsCloses: true, isWhole: true });
    const calls = shown(trace);
    expect(calls.slice(0, 13)).toEqual([
      'open = sys#0',
      'sys#0.KVM_GET_API_VERSION() = 12',
      'sys#0.KVM_CHECK_EXTENSION(cap=0xeb) = 1',
      'sys#0.KVM_CREATE_VM(type=0x5) = EINVAL',
      'sys#0.KVM_CREATE_VM(type=0) = vm#1',
      'vm#1.KVM_CHECK_EXTENSION(cap=KVM_CAP_MAX_VCPUS) = 1024',
      'vm#1.KVM_ENABLE_CAP() = 0',
      'vm#1.KVM_MEMORY_ENCRYPT_OP() = ENOTTY',
      'vm#1.KVM_SET_TSC_KHZ(tsc_khz=0x1e8480) = 0',
      'vm#1.KVM_SET_USER_MEMORY_REGION(slot=0, flags=0, guest_phys_addr=0x100000, memory_size=65536) = 0',
      // strace 6.1 knows no names of these: it shows their number taken apart.
      'vm#1.KVM_SET_USER_MEMORY_REGION2() = EINVAL',
      'vm#1.KVM_CREATE_GUEST_MEMFD() = gmem#2',
      'vm#1.KVM_SET_MEMORY_ATTRIBUTES() = ENOTTY',
    ]);
    expect(calls.filter((call) => call.includes('KVM_CREATE_VCPU'))).toEqual([
      expect.stringMatching(/^vm#1\.KVM_CREATE_VCPU\(id=[01]\) = vcpu#3$/),
      expect.stringMatching(/^vm#1\.KVM_CREATE_VCPU\(id=[01]\) = vcpu#4$/),
    ]);
    // dup() and close() of the copy close nothing.
    expect(calls.filter((call) => call === 'close vm#1')).toHaveLength(1);
    expect(calls.slice(-3)).toEqual(['close gmem#2', 'close vm#1', 'close sys#0']);
  });

  test('with pids, times, durations and calls that others interrupt: the same', async () => {
    const trace = await read(fixture('plain-vm-times.strace'));
    const calls = shown(trace);
    expect(calls.filter((call) => call.includes('KVM_SET_CPUID2'))).toEqual([
      'vcpu#3.KVM_SET_CPUID2() = 0',
      'vcpu#4.KVM_SET_CPUID2() = 0',
    ]);
    expect(calls.filter((call) => call.includes('KVM_RUN'))).toEqual([
      'vcpu#3.KVM_RUN() = EINTR',
      'vcpu#4.KVM_RUN() = EINTR',
    ]);
    const threads = new Set(trace.steps.filter(isCall).map(({ record }) => record.thread));
    expect([...threads]).toEqual(['T0', 'T1', 'T2']);
    // The place of a call is where it begins.
    const lines = fixture('plain-vm-times.strace').split('\n');
    for (const { line, record } of trace.steps) {
      if (record.kind !== 'call') continue;
      expect(lines[line - 1]).toContain('ioctl(');
    }
  });

  test('is judged for what it is: nothing about TDs, but for the TD that could not be had', async () => {
    const report = await judgedText(fixture('plain-vm.strace'));
    expect(report).toMatchObject({ tds: 0 });
    expect(ids(report).filter((id) => id.startsWith('error'))).toEqual(['error create-vm.type']);
  });
});

/** A TD as QEMU makes one: room for the leaves by trial, CPUID before each vCPU, several regions. */
function likeQemu(driver: Driver): void {
  const vm = driver.createTd();
  driver.capabilities(vm);
  driver.initVm(vm);
  const vcpus = [0, 1].map((id) => {
    const vcpu = driver.createVcpu(vm, id) as number;
    driver.getCpuid(vcpu);
    driver.setCpuid2(vcpu);
    return vcpu;
  });
  const guestMemfd = driver.createGuestMemfd(vm) as number;
  driver.setSlot(vm, guestMemfd);
  driver.setPrivate(vm, ramGpa, 16);
  for (const vcpu of vcpus) driver.initVcpu(vcpu);
  for (const page of [0n, 4n]) {
    const gpa = ramGpa + page * 0x1000n;
    driver.initMemRegion(vcpus[0] as number, memRegion({ gpa, nrPages: 2n }), 1);
  }
  driver.finalizeVm(vm);
  driver.release(guestMemfd, ...vcpus, vm);
}

const requests = (records: readonly TraceRecord[]) =>
  records.flatMap((record) => (record.kind === 'call' ? [record.request] : []));

describe('which command KVM_MEMORY_ENCRYPT_OP was', () => {
  test('is inferred from its place: the order that QEMU keeps', async () => {
    const records = await recorded(likeQemu);
    const trace = await read(straceOf(records));
    expect(trace.steps.filter(isCall).map(({ record }) => record.request)).toEqual(
      requests(records),
    );
    const inferred = trace.steps.filter(({ inferred }) => inferred !== undefined);
    expect(inferred.length).toBe(
      requests(records).filter((name) => name.startsWith('KVM_TDX_')).length,
    );
  });

  test('and nothing is found in it that is not in the trace with all its arguments', async () => {
    const report = await judgedText(straceOf(await recorded(likeQemu)));
    expect(ids(report)).toEqual([]);
    expect(report.tds).toBe(1);
  });

  test('is INIT_VM where it found no entropy or no key, before the vCPUs', async () => {
    const text = straceOf(await recorded(likeQemu)).replace(
      /(KVM_MEMORY_ENCRYPT_OP.*\) = )0(?=\nioctl\(4, KVM_CREATE_VCPU, 0)/,
      '$1-1 EAGAIN (Resource temporarily unavailable)\nioctl(4, KVM_MEMORY_ENCRYPT_OP, 0x7f) = 0',
    );
    const { steps } = await read(text);
    const commands = steps
      .filter(isCall)
      .map(({ record }) => record.request)
      .filter((request) => request.startsWith('KVM_TDX_'));
    expect(commands.slice(0, 3)).toEqual([
      'KVM_TDX_CAPABILITIES',
      'KVM_TDX_INIT_VM',
      'KVM_TDX_INIT_VM',
    ]);
  });

  test('is said with every finding about it', async () => {
    const text = [
      'openat(AT_FDCWD, "/dev/kvm", O_RDWR) = 3',
      'ioctl(3, KVM_CREATE_VM, 0x5) = 4',
      'ioctl(4, KVM_MEMORY_ENCRYPT_OP, 0x7ffe) = 0',
      'ioctl(4, KVM_MEMORY_ENCRYPT_OP, 0x7ffe) = -1 ENOSPC (No space left on device)',
      '+++ exited with 1 +++',
    ].join('\n');
    const { findings } = await judgedText(text);
    expect(findings[0]).toMatchObject({
      id: 'init-vm.no-key-slot',
      inferred: 'ENOSPC, before the vCPUs',
      line: 4,
    });
  });

  test('is left open on a VM that is no TD', async () => {
    const { steps } = await read(fixture('plain-vm.strace'));
    const commands = steps
      .filter(isCall)
      .filter(({ record }) => record.request.startsWith('KVM_TDX_'));
    expect(commands).toEqual([]);
  });
});

test('a trace that begins when the VM was there already is read from where it begins', async () => {
  const text = [
    '[pid  7] ioctl(13<anon_inode:kvm-vcpu:0>, KVM_RUN, 0) = 0',
    '[pid  7] ioctl(11<anon_inode:kvm-vm>, KVM_SET_MEMORY_ATTRIBUTES, 0x7f) = 0',
    '[pid  7] ioctl(13<anon_inode:kvm-vcpu:0>, KVM_RUN, 0) = ? ERESTARTSYS (To be restarted)',
    '[pid  8] ioctl(14, TCGETS, 0x7f) = -1 ENOTTY (Inappropriate ioctl for device)',
    'strace: Process 9 attached',
    '--- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_TKILL} ---',
  ].join('\n');
  const trace = await read(text);
  expect(shown(trace)).toEqual([
    'vcpu#0.KVM_RUN() = 0',
    'vm#1.KVM_SET_MEMORY_ATTRIBUTES() = 0',
    'vcpu#0.KVM_RUN() = interrupted',
  ]);
  expect(trace).toMatchObject({ otherLines: 3, isWhole: false });
});

test('a descriptor that is used again stands for the new file', async () => {
  const text = [
    'openat(AT_FDCWD, "/dev/kvm", O_RDWR) = 3',
    'ioctl(3, KVM_CREATE_VM, 0x5) = 4',
    'ioctl(3, KVM_CREATE_VM, 0x5) = 4',
  ].join('\n');
  expect(shown(await read(text))).toEqual([
    'open = sys#0',
    'sys#0.KVM_CREATE_VM(type=0x5) = vm#1',
    'close vm#1',
    'sys#0.KVM_CREATE_VM(type=0x5) = vm#2',
  ]);
});

propertyTest.prop([
  fc.array(fc.oneof(fc.string(), fc.constantFrom(...fixture('plain-vm.strace').split('\n'))), {
    maxLength: 40,
  }),
])('any lines in any order are judged without a throw', async (lines) => {
  const trace = await opened(lines);
  if (trace !== undefined) await judgedText(lines.join('\n'));
});
