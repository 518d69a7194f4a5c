/** Every fd is closed once: by close(), after the calls in flight, or by the finalizer. */
import { spawn } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Vm } from '../../native/index.ts';
import { ioctlNumbers } from '../../src/abi/kvm/requests.ts';
import { KvmVm } from '../../src/host/kvm/kvm-vm.ts';
import type { DevKvm } from '../../src/host/native/dev-kvm.ts';
import {
  collectGarbage,
  isMapped,
  openFds,
  rejection,
  requireAddon,
  scripted,
  zeros,
} from './support.ts';

/** Nothing here makes a guest, which alone needs the addon and /dev/kvm. */
const kvm = {} as DevKvm;
const kvmVm = (vm: Vm) => new KvmVm(vm, { kvm, initVmStruct: 'sized by nent' });
const { KVM_ENABLE_CAP } = ioctlNumbers;
const { KVM_CREATE_GUEST_MEMFD, KVM_CREATE_IRQCHIP, KVM_CREATE_VCPU, KVM_CREATE_VM } = ioctlNumbers;
const { KVM_SET_USER_MEMORY_REGION, KVM_SET_USER_MEMORY_REGION2 } = ioctlNumbers;

describe('close', () => {
  test('gives the fd back, and is idempotent', async (context) => {
    const addon = requireAddon(context);
    const before = openFds();
    const system = await addon.System.open('/dev/null');
    expect(readlinkSync(`/proc/self/fd/${system.fd}`)).toBe('/dev/null');
    await Promise.all([system.close(), system.close()]);
    await system.close();
    expect(system.fd).toBe(-1);
    expect(openFds()).toEqual(before);
    expect(addon.leakedFds()).toBe(0);
  });

  test('of hundreds at once closes each', async (context) => {
    const { vm, script } = await scripted(context);
    const before = openFds();
    const ids = Array.from({ length: 300 }, (_, id) => id);
    script(...ids.map(() => ({ request: KVM_CREATE_VCPU, returns: 'fd' as const })));
    const vcpus = await vm.kvmCreateVcpus(ids);
    expect(openFds().size).toBe(before.size + 300);
    await Promise.all(vcpus.map((vcpu) => vcpu.close()));
    expect(openFds()).toEqual(before);
  });

  test('waits for the call in flight: the number stays taken while it runs', async (context) => {
    const { system, script } = await scripted(context);
    const held = script(
      { request: KVM_CREATE_VM, returns: 'fd' },
      { request: KVM_CREATE_IRQCHIP, hold: true },
    );
    const vm = await system.kvmCreateVm(0);
    const { fd } = vm;
    const running = vm.kvmCreateIrqchip();
    let isClosed = false;
    const closed = vm.close().then(() => {
      isClosed = true;
    });
    // Others keep the worker threads and the fd table busy meanwhile.
    const opened = await requireAddon(context).System.open('/dev/null');
    expect(opened.fd).not.toBe(fd);
    expect(isClosed).toBe(false);
    expect(openFds().get(fd)).toBe('/dev/null');
    held.release();
    await running;
    await closed;
    expect(openFds().has(fd)).toBe(false);
    await opened.close();
  });

  test('during a call refuses the next one at once', async (context) => {
    const { vm, script } = await scripted(context);
    const { release } = script({ request: KVM_CREATE_IRQCHIP, hold: true });
    const running = vm.kvmCreateIrqchip();
    const closed = vm.close();
    const error = await rejection(vm.kvmCreateVcpu(0));
    expect({ ...error }).toEqual({
      syscall: 'ioctl',
      request: 'KVM_CREATE_VCPU',
      errno: 9,
      code: 'EBADF',
    });
    expect(error.message).toBe('KVM_CREATE_VCPU: the VM is closed');
    release();
    await Promise.all([running, closed]);
  });

  test('makes every later use say EBADF and what is closed', async (context) => {
    const { addon, system, vm, vcpu, script } = await scripted(context);
    script({ request: KVM_CREATE_GUEST_MEMFD, returns: 'fd' });
    const guestMemfd = await vm.kvmCreateGuestMemfd({ sizeBytes: 4096n });
    const memory = await addon.UserMemory.map(4096n);
    await Promise.all([guestMemfd.close(), memory.close(), vcpu.close(), system.close()]);

    const slot = { slot: 0, gpa: 0n, sizeBytes: 4096n, memory };
    const messages = [
      await rejection(system.kvmGetApiVersion()),
      await rejection(vcpu.tdxGetCpuid()),
      await rejection(vm.kvmSetUserMemoryRegion(slot)),
      await rejection(vm.kvmSetUserMemoryRegion2({ ...slot, sizeBytes: 0n, guestMemfd })),
      await rejection((async () => memory.write(0n, zeros(1)))()),
      await rejection((async () => memory.read(0n, 1))()),
    ].map(({ code, message }) => `${code} ${message}`);
    expect(messages).toEqual([
      'EBADF KVM_GET_API_VERSION: the system is closed',
      'EBADF KVM_TDX_GET_CPUID: the vCPU is closed',
      'EBADF KVM_SET_USER_MEMORY_REGION: `memory` is closed',
      'EBADF KVM_SET_USER_MEMORY_REGION2: `guestMemfd` is closed',
      'EBADF the memory is closed',
      'EBADF the memory is closed',
    ]);
  });

  test('of the source of a move waits for the move', async (context) => {
    const { system, vm, script } = await scripted(context);
    const { calls, release } = script(
      { request: KVM_CREATE_VM, returns: 'fd' },
      { request: KVM_ENABLE_CAP, hold: true },
    );
    const source = await system.kvmCreateVm(0);
    const { fd } = source;
    const port = kvmVm(source);
    const moved = kvmVm(vm).moveEncContextFrom({ source: port });
    const closed = port.close();
    // Others take the lowest number that is free.
    const opened = await requireAddon(context).System.open('/dev/null');
    expect(opened.fd).not.toBe(fd);
    expect(openFds().has(fd)).toBe(true);
    release();
    await Promise.all([moved, closed]);
    expect(openFds().has(fd)).toBe(false);
    const { argument } = calls().at(-1) ?? {};
    const { buffer, byteOffset } = argument ?? zeros(16);
    expect(new BigUint64Array(buffer.slice(byteOffset))[1]).toBe(BigInt(fd));
    const again = kvmVm(vm).moveEncContextFrom({ source: port });
    expect(await rejection(again)).toMatchObject({
      request: 'KVM_ENABLE_CAP',
      capability: 'KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM',
      code: 'EBADF',
    });
    await opened.close();
  });

  test('of a guest_memfd waits for the slot that is being set to it', async (context) => {
    const { addon, vm, script } = await scripted(context);
    const { release } = script(
      { request: KVM_CREATE_GUEST_MEMFD, returns: 'fd' },
      { request: KVM_SET_USER_MEMORY_REGION2, hold: true },
    );
    const guestMemfd = await vm.kvmCreateGuestMemfd({ sizeBytes: 4096n });
    const memory = await addon.UserMemory.map(4096n);
    const { fd } = guestMemfd;
    const set = vm.kvmSetUserMemoryRegion2({
      slot: 0,
      gpa: 0n,
      sizeBytes: 4096n,
      memory,
      guestMemfd,
    });
    const closed = guestMemfd.close();
    await memory.close();
    expect(openFds().has(fd)).toBe(true);
    release();
    await Promise.all([set, closed]);
    expect(openFds().has(fd)).toBe(false);
  });
});

describe('user memory stays mapped', () => {
  // Large, so that nothing else is put in the middle of it once it is free.
  const sizeBytes = 2n ** 32n;
  const middle = (memory: { readonly address: bigint }) => memory.address + sizeBytes / 2n;

  test('until it is closed, where nothing points into it', async (context) => {
    const addon = requireAddon(context);
    const memory = await addon.UserMemory.map(sizeBytes);
    expect(isMapped(middle(memory))).toBe(true);
    await memory.close();
    expect(isMapped(middle(memory))).toBe(false);
  });

  test('while a slot points into it', async (context) => {
    const { addon, vm, script } = await scripted(context);
    const request = KVM_SET_USER_MEMORY_REGION;
    script({ request }, { request });
    const memory = await addon.UserMemory.map(sizeBytes);
    await vm.kvmSetUserMemoryRegion({ slot: 0, gpa: 0n, sizeBytes, memory });
    await memory.close();
    expect(isMapped(middle(memory))).toBe(true);
    await vm.kvmSetUserMemoryRegion({ slot: 0, gpa: 0n, sizeBytes: 0n });
    expect(isMapped(middle(memory))).toBe(false);
  });

  test('not for a slot that the kernel refused', async (context) => {
    const { addon, vm, script } = await scripted(context);
    script({ request: KVM_SET_USER_MEMORY_REGION, errno: 17 });
    const memory = await addon.UserMemory.map(sizeBytes);
    await rejection(vm.kvmSetUserMemoryRegion({ slot: 0, gpa: 0n, sizeBytes, memory }));
    await memory.close();
    expect(isMapped(middle(memory))).toBe(false);
  });

  test('until the last fd of the VM is closed, as the slots of the kernel do', async (context) => {
    const { addon, system, script } = await scripted(context);
    script(
      { request: KVM_CREATE_VM, returns: 'fd' },
      { request: KVM_CREATE_VCPU, returns: 'fd' },
      { request: KVM_SET_USER_MEMORY_REGION },
    );
    const vm = await system.kvmCreateVm(0);
    const vcpu = await vm.kvmCreateVcpu(0);
    const memory = await addon.UserMemory.map(sizeBytes);
    await vm.kvmSetUserMemoryRegion({ slot: 0, gpa: 0n, sizeBytes, memory });
    await memory.close();
    await vm.close();
    expect(isMapped(middle(memory))).toBe(true);
    await vcpu.close();
    expect(isMapped(middle(memory))).toBe(false);
  });

  test('while a call in flight reads from it', async (context) => {
    const { addon, vcpu, script } = await scripted(context);
    const request = ioctlNumbers.KVM_MEMORY_ENCRYPT_OP;
    const { release } = script({ request, data: zeros(24), hold: true });
    const source = await addon.UserMemory.map(sizeBytes);
    const added = vcpu.tdxInitMemRegion({ source, sourceOffsetBytes: 0n, gpa: 0n, pages: 1 });
    await source.close();
    expect(isMapped(middle(source))).toBe(true);
    release();
    await added;
    // Let go with the task, which is destroyed right after it settled the promise.
    await new Promise((resolve) => setImmediate(resolve));
    expect(isMapped(middle(source))).toBe(false);
  });
});

describe('a leaked fd', () => {
  test('is closed by the finalizer and counted', async (context) => {
    const addon = requireAddon(context);
    const before = openFds();
    const leakedBefore = addon.leakedFds();
    await (async () => {
      for (let n = 0; n < 3; n += 1) await addon.System.open('/dev/null');
    })();
    await collectGarbage();
    expect(addon.leakedFds()).toBe(leakedBefore + 3);
    expect(openFds()).toEqual(before);
  });

  test('is none while a call is in flight, nor after close', async (context) => {
    const { addon, system, script } = await scripted(context);
    const leakedBefore = addon.leakedFds();
    const { release } = script(
      { request: KVM_CREATE_VM, returns: 'fd' },
      { request: KVM_CREATE_IRQCHIP, hold: true },
    );
    const running = await (async () => {
      const vm = await system.kvmCreateVm(0);
      const created = vm.kvmCreateIrqchip();
      return [created, vm.close()];
    })();
    await collectGarbage();
    release();
    await Promise.all(running);
    await collectGarbage();
    expect(addon.leakedFds()).toBe(leakedBefore);
  });
});

test('no fd is inherited by a child process', async (context) => {
  const { vm, script } = await scripted(context);
  script({ request: KVM_CREATE_GUEST_MEMFD, returns: 'fd' });
  const memory = await vm.kvmCreateGuestMemfd({ sizeBytes: 4096n });
  const child = spawn('ls', ['-l', '/proc/self/fd'], { stdio: ['pipe', 'pipe', 'inherit'] });
  let listing = '';
  for await (const text of child.stdout) listing += text;
  expect(listing).toContain('/proc/');
  expect(listing).not.toContain('/dev/null');
  await memory.close();
});
