/** Pages that are given back to the kernel, as at a conversion of a TD's memory. */
import { fstatSync, readSync, writeSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ioctlNumbers } from '../../src/abi/kvm/requests.ts';
import { vmTypes } from '../../src/abi/kvm/vm-types.ts';
import { rejection, requireAddon, scripted, zeros } from './support.ts';

const page = 4096;
const filled = (value: number, pages: number) => zeros(pages * page).fill(value);

describe('memory', () => {
  test.for([false, true])(
    'has zeros where it was discarded, and no page; shared: %s',
    async (shared, context) => {
      const addon = requireAddon(context);
      const memory = await addon.UserMemory.map(16n * 4096n, { shared });
      memory.write(0n, filled(7, 16));
      await memory.discard(4096n, 2n * 4096n);
      expect(memory.read(0n, page)).toEqual(filled(7, 1));
      expect(memory.read(4096n, 2 * page)).toEqual(zeros(2 * page));
      expect(memory.read(3n * 4096n, 13 * page)).toEqual(filled(7, 13));
      memory.write(4096n, filled(8, 1));
      expect(memory.read(4096n, page)).toEqual(filled(8, 1));
      await memory.discard(0n, 16n * 4096n);
      // Blocks of 512 bytes: looking at it made none.
      if (shared) expect(fstatSync(memory.fd)).toMatchObject({ blocks: 0, size: 16 * page });
      await memory.close();
    },
  );

  const mistakes: readonly (readonly [string, bigint, bigint])[] = [
    ['`offsetBytes` and `sizeBytes` must be multiples of 4096n, the size above 0n', 1n, 4096n],
    ['`offsetBytes` and `sizeBytes` must be multiples of 4096n, the size above 0n', 0n, 4095n],
    ['`offsetBytes` and `sizeBytes` must be multiples of 4096n, the size above 0n', 0n, 0n],
    ['the memory has 8192 bytes: 8192 bytes at 4096 are outside', 4096n, 8192n],
    [
      'the memory has 8192 bytes: 4096 bytes at 18446744073709547520 are outside',
      2n ** 64n - 4096n,
      4096n,
    ],
  ];
  test.for(mistakes)('is not discarded: %s', async ([message, offset, size], context) => {
    const addon = requireAddon(context);
    const memory = await addon.UserMemory.map(8192n);
    memory.write(0n, filled(7, 2));
    const error = await rejection(memory.discard(offset, size));
    expect(error).toBeInstanceOf(RangeError);
    expect(error.message).toBe(message);
    expect(memory.read(0n, 8192)).toEqual(filled(7, 2));
    await memory.close();
    expect(await rejection(memory.discard(0n, 4096n))).toMatchObject({ code: 'EBADF' });
  });
});

describe('a guest_memfd', () => {
  test('loses the pages of a hole, and not its size', async (context) => {
    const { vm, script } = await scripted(context);
    script({ request: ioctlNumbers.KVM_CREATE_GUEST_MEMFD, returns: 'memory' });
    const memfd = await vm.kvmCreateGuestMemfd({ sizeBytes: 8192n });
    writeSync(memfd.fd, filled(7, 2), 0, 2 * page, 0);
    await memfd.punchHole(4096n, 4096n);
    const bytes = zeros(2 * page);
    readSync(memfd.fd, bytes, 0, 2 * page, 0);
    expect(bytes).toEqual(new Uint8Array([...filled(7, 1), ...zeros(page)]));
    expect(fstatSync(memfd.fd).size).toBe(2 * page);
    expect(await rejection(memfd.punchHole(1n, 4096n))).toBeInstanceOf(RangeError);
    await memfd.close();
    expect(await rejection(memfd.punchHole(0n, 4096n))).toMatchObject({ code: 'EBADF' });
  });

  test('that is no file is refused by the kernel, by its name', async (context) => {
    const { vm, script } = await scripted(context);
    script({ request: ioctlNumbers.KVM_CREATE_GUEST_MEMFD, returns: 'fd' });
    const memfd = await vm.kvmCreateGuestMemfd({ sizeBytes: 8192n });
    expect(await rejection(memfd.punchHole(0n, 4096n))).toMatchObject({
      syscall: 'fallocate',
      code: 'ENODEV',
      message: 'fallocate of 4096 bytes: ENODEV',
    });
    await memfd.close();
  });

  test('of the real KVM has a hole punched', async (context) => {
    const addon = requireAddon(context);
    const system = await addon.System.open().catch((error: Error) => context.skip(error.message));
    const vm = await system
      .kvmCreateVm(vmTypes.KVM_X86_SW_PROTECTED_VM)
      .catch(() => system.kvmCreateVm(vmTypes.KVM_X86_DEFAULT_VM));
    const memfd = await vm.kvmCreateGuestMemfd({ sizeBytes: 8192n }).catch(async (error: Error) => {
      await Promise.all([vm.close(), system.close()]);
      return context.skip(`there is no guest_memfd here: ${error.message}`);
    });
    await memfd.punchHole(0n, 4096n);
    await memfd.punchHole(4096n, 4096n);
    await Promise.all([memfd.close(), vm.close(), system.close()]);
  });
});
