/** What the files of KVM_GET_STATS_FD show. */
import { describe, expect, test } from 'vitest';
import type { GuestEvent, GuestScript } from '../../../src/simulator/index.ts';
import { Driver } from '../drive.ts';

/** As a program reads it: by the header and the descriptors alone. */
function read(file: Uint8Array) {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const [, nameBytes = 0, count = 0, nameAt = 0, descriptorsAt = 0, valuesAt = 0] = Array.from(
    { length: 6 },
    (_, word) => view.getUint32(word * 4, true),
  );
  const text = (at: number) =>
    new TextDecoder().decode(file.subarray(at, at + nameBytes)).replace(/\0.*$/s, '');
  const descriptors = Array.from({ length: count }, (_, index) => {
    const at = descriptorsAt + index * (16 + nameBytes);
    return {
      name: text(at + 16),
      flags: view.getUint32(at, true),
      exponent: view.getInt16(at + 4, true),
      size: view.getUint16(at + 6, true),
      offset: view.getUint32(at + 8, true),
    };
  });
  const values = Object.fromEntries(
    descriptors.map(({ name, offset }) => [name, view.getBigUint64(valuesAt + offset, true)]),
  );
  return { name: text(nameAt), descriptors, values, end: file.length - valuesAt };
}

function open(driver: Driver, handle: number) {
  const file = driver.must(handle, { request: 'KVM_GET_STATS_FD' });
  return () => read(driver.machine.statistics(file) as Uint8Array);
}

const script = (...events: GuestEvent[]): GuestScript => {
  let at = 0;
  return { run: () => events[at++] ?? { reason: 'KVM_EXIT_SHUTDOWN' } };
};

describe('statistics', () => {
  test('each value has a place of its own, and together they fill the file', () => {
    const driver = new Driver();
    const vm = driver.plainVm();
    const vcpu = driver.must(vm, { request: 'KVM_CREATE_VCPU', id: 3 });
    for (const [handle, count] of [
      [vm, 16],
      [vcpu, 45],
    ] as const) {
      const { descriptors, end } = open(driver, handle)();
      expect(descriptors).toHaveLength(count);
      const places = descriptors
        .map(({ offset, size }) => [offset, offset + 8 * size] as const)
        .sort(([one], [other]) => one - other);
      expect(places[0]?.[0]).toBe(0);
      expect(places.map(([, after]) => after).slice(0, -1)).toEqual(
        places.map(([at]) => at).slice(1),
      );
      expect(places.at(-1)?.[1]).toBe(end);
    }
  });

  test('a time is told in seconds to the power of -9, in as many parts as a histogram has', () => {
    const driver = new Driver();
    const { descriptors } = open(driver, driver.plainVcpu())();
    const of = (wanted: string) => descriptors.find(({ name }) => name === wanted);
    expect(of('halt_wait_ns')).toMatchObject({ flags: 0x20, exponent: -9, size: 1 });
    expect(of('halt_wait_hist')).toMatchObject({ flags: 0x24, exponent: -9, size: 32 });
    expect(of('blocking')).toMatchObject({ flags: 0x41, exponent: 0, size: 1 });
  });

  test('a VM and its vCPU bear the number of the thread that made them', () => {
    const driver = new Driver();
    const vm = driver.plainVm();
    const vcpu = driver.must(vm, { request: 'KVM_CREATE_VCPU', id: 3 });
    expect([open(driver, vm)().name, open(driver, vcpu)().name]).toEqual(['kvm-1', 'kvm-1/vcpu-3']);
  });

  test('a TD’s pages are counted while it has them', () => {
    const driver = new Driver();
    const { vm, vcpus, guestMemfd } = driver.builtTd();
    const pages = open(driver, vm);
    expect(pages().values.pages_4k).toBe(0n);
    driver.initMemRegion(vcpus[0] as number);
    expect(pages().values.pages_4k).toBe(1n);
    driver.release(guestMemfd);
    expect(pages().values.pages_4k).toBe(0n);
  });

  test('exits are counted by what the guest did, and those that KVM answers itself too', async () => {
    const io = {
      tdvmcall: 'Instruction.IO',
      port: 0x80,
      direction: 'out',
      sizeBytes: 1,
      data: 0n,
    } as const;
    const driver = new Driver({
      guest: script({ tdvmcall: 'other', leaf: 5n }, io),
    });
    const { vcpus } = driver.runnableTd();
    const vcpu = vcpus[0] as number;
    const values = open(driver, vcpu);
    expect(await driver.run(vcpu).result).toBe(0);
    expect(values().values).toMatchObject({ exits: 2n, io_exits: 1n, mmio_exits: 0n });
    expect(values().values).toMatchObject({ fpu_reload: 1n, signal_exits: 0n, blocking: 0n });
  });

  test('a signal brings a running guest out by an interrupt, and ends the wait of one that waits', async () => {
    const driver = new Driver();
    const { vcpus } = driver.runnableTd();
    const vcpu = vcpus[0] as number;
    const values = open(driver, vcpu);
    const running = driver.run(vcpu);
    running.cancel();
    await running.result;
    expect(values().values).toMatchObject({ exits: 1n, irq_exits: 1n, signal_exits: 1n });
    const waiting = driver.occupy(vcpu);
    expect(values().values.blocking).toBe(1n);
    waiting.cancel();
    await waiting.result;
    expect(values().values).toMatchObject({ exits: 1n, signal_exits: 2n, blocking: 0n });
  });

  test('memory that shows a file follows it until the file is closed', async () => {
    const driver = new Driver();
    const { vcpus } = driver.runnableTd();
    const vcpu = vcpus[0] as number;
    const file = driver.must(vcpu, { request: 'KVM_GET_STATS_FD' });
    const memory = new Uint8Array(driver.machine.statistics(file)?.length ?? 0);
    driver.machine.shareStatistics(file, memory);
    const run = async () => {
      const running = driver.run(vcpu);
      running.cancel();
      await running.result;
    };
    await run();
    expect(read(memory).values.signal_exits).toBe(1n);
    driver.release(file);
    await run();
    expect(read(memory).values.signal_exits).toBe(1n);
  });
});
