/** The trace as events, and as lines. */
import { describe, expect, test } from 'vitest';
import { statusWord } from '../../src/abi/tdx/status.ts';
import { injectorOf } from '../../src/simulator/fault-records.ts';
import { StructValue, type TraceEvent } from '../../src/simulator/index.ts';
import { traceText } from '../../src/trace/index.ts';
import { recordAll } from '../trace/recorder.ts';
import { Driver } from './drive.ts';
import { command, faulting, memRegion, page, ramGpa } from './structs.ts';

function traced(run: (driver: Driver) => void): TraceEvent[] {
  const driver = new Driver();
  const events: TraceEvent[] = [];
  driver.machine.listen((event) => events.push(event));
  run(driver);
  return events;
}

function wholeLife(driver: Driver): void {
  const { vm, vcpus, guestMemfd } = driver.builtTd(2);
  driver.initMemRegion(vcpus[0] as number, memRegion({ nrPages: 2n }), 1);
  driver.finalizeVm(vm);
  driver.release(guestMemfd, ...vcpus, vm);
}

function records(run: (driver: Driver) => void) {
  const driver = new Driver();
  const all = recordAll(driver.machine);
  run(driver);
  return all;
}

const recordedLife = () => records(wholeLife);

test('the same life gives the same trace, to the nanosecond', () => {
  const [one, other] = [traced(wholeLife), traced(wholeLife)];
  expect(one.length).toBeGreaterThan(80);
  expect(other).toEqual(one);
  expect(recordedLife()).toEqual(recordedLife());
});

test('times never go back, and each call ends at the one before plus what it took', () => {
  const ioctlsAndReleases = traced(wholeLife).filter(({ kind }) => kind !== 'seamcall');
  let last: number | undefined;
  for (const { timeNs, durationNs } of ioctlsAndReleases) {
    expect(durationNs).toBeGreaterThan(0);
    if (last !== undefined) expect(timeNs - durationNs).toBe(last);
    last = timeNs;
  }
});

describe('a line shows', () => {
  const lines = (run: (driver: Driver) => void) => records(run).map(traceText);

  test('an ioctl with its arguments, answer and duration', () => {
    expect(lines((driver) => driver.createVm())).toEqual([
      'T0  open("/dev/kvm") = fd [sys#0]',
      'T0  sys#0.KVM_CREATE_VM(type=KVM_X86_TDX_VM) = fd [vm#1] <500000ns>',
    ]);
  });

  test('an errno where it was refused', () => {
    expect(lines((driver) => driver.setTscKhz(driver.kvm, 1)).at(-1)).toBe(
      'T0  sys#0.KVM_SET_TSC_KHZ(tsc_khz=1) = EINVAL check=request.unknown <500ns>',
    );
  });

  test('a leaf, indented, before the ioctl that made it, with its status by name', () => {
    const all = lines((driver) => driver.finalizeVm(driver.initializedTd()));
    expect(all.at(-2)).toBe(
      '  cpu0 TDH.MR.FINALIZE(rcx=0x1000) = 0xc000060900000000 (TDX_NO_VCPUS) check=mr-finalize.no-vcpus <5000ns>',
    );
    expect(all.at(-1)).toMatch(
      /KVM_TDX_FINALIZE_VM\(.*\) = EIO check=.* hw_error=0xc.*\(TDX_NO_VCPUS\) <7000ns>$/,
    );
  });

  test('what the kernel copied in, and what it wrote back', () => {
    const all = lines((driver) => {
      const { vcpus } = driver.builtTd();
      driver.initMemRegion(vcpus[0] as number, memRegion());
    });
    expect(all.at(-1)).toContain(
      `gpa=0x${ramGpa.toString(16)}, nr_pages=0x1, ` +
        `out={gpa=0x${(ramGpa + page).toString(16)}, nr_pages=0x0}`,
    );
  });

  test('a copy that faulted, and a struct that was never read', () => {
    const all = lines((driver) => {
      const vm = driver.createVm();
      driver.initVm(vm, {}, faulting(command('KVM_TDX_INIT_VM'), 'read'));
    });
    expect(all.at(-1)).toContain('KVM_TDX_INIT_VM(faults=[cmd.read]) = EFAULT');
  });

  test('outputs of a leaf that has any', () => {
    const all = lines((driver) => driver.builtTd(2));
    expect(all.filter((line) => line.includes('TDH.VP.INIT')).at(-1)).toContain(
      'TDX_SUCCESS rsi=0x1',
    );
  });

  test('long lists and bytes by their length and digest', () => {
    const all = lines(wholeLife);
    expect(all.join('\n')).toContain('r9="4096 zero bytes"');
    const leaves = all.filter((line) => line.startsWith('  cpu'));
    expect(leaves.every((line) => line.length < 1200 && !line.includes('\n'))).toBe(true);
  });
});

test('a leaf that was refused has the row that refused it, and so has the answer of its ioctl', () => {
  const [leaf, ioctl] = traced((driver) => driver.finalizeVm(driver.initializedTd())).slice(-2);
  expect(leaf).toMatchObject({ kind: 'seamcall', check: 'mr-finalize.no-vcpus' });
  const answer = { check: 'finalize-vm.module-refused', moduleCheck: 'mr-finalize.no-vcpus' };
  expect(ioctl).toMatchObject({ kind: 'ioctl', answer });
});

test('a leaf whose status was injected has no row', () => {
  const driver = new Driver({
    faults: injectorOf([{ at: 'TDH.MR.FINALIZE', answer: 'TDX_NO_VCPUS' }]),
  });
  const events: TraceEvent[] = [];
  const vm = driver.initializedTd();
  driver.machine.listen((event) => events.push(event));
  driver.finalizeVm(vm);
  const [leaf, ioctl] = events.slice(-2);
  expect(leaf).toMatchObject({ status: statusWord('TDX_NO_VCPUS'), check: undefined });
  expect(ioctl).toHaveProperty('answer.check', 'finalize-vm.module-refused');
  expect(ioctl).not.toHaveProperty('answer.moduleCheck');
});

test('whether somebody traces changes no answer and no struct', () => {
  const run = (driver: Driver) => {
    const { vm, vcpus } = driver.builtTd();
    const region = memRegion({ nrPages: 3n });
    const cmd = new StructValue({ id: 4, flags: 0, data: 0n, hwError: 0n });
    return [
      driver.initMemRegion(vcpus[0] as number, region),
      region.value,
      driver.finalizeVm(vm, cmd),
      cmd.value,
      driver.machine.snapshot(),
    ];
  };
  const watched = new Driver();
  watched.machine.listen(() => {});
  expect(run(watched)).toEqual(run(new Driver()));
});
