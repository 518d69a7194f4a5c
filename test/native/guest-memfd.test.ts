/** KVM_LINK_GUEST_MEMFD, which no kernel of today answers: what goes to the kernel, and what comes of it. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ioctlNumbers } from '../../src/abi/kvm/requests.ts';
import { scripted } from './support.ts';

const { KVM_CREATE_GUEST_MEMFD, KVM_LINK_GUEST_MEMFD } = ioctlNumbers;
const O_CLOEXEC = 0o2000000;

test('a linked guest_memfd is asked for by the fd of its source, has its size, and is closed on exec', async (context) => {
  const { vm, script } = await scripted(context);
  const { calls } = script(
    { request: KVM_CREATE_GUEST_MEMFD, returns: 'fd' },
    { request: KVM_LINK_GUEST_MEMFD, returns: 'fd' },
  );
  const source = await vm.kvmCreateGuestMemfd({ sizeBytes: 8192n });
  const linked = await vm.kvmLinkGuestMemfd(source);
  expect(linked.sizeBytes).toBe(8192n);
  const { buffer, byteOffset } = calls().at(-1)?.argument ?? new Uint8Array(64);
  const words = [...new BigUint64Array(buffer.slice(byteOffset, byteOffset + 64))];
  expect(words).toEqual([BigInt(source.fd), 0n, 0n, 0n, 0n, 0n, 0n, 0n]);
  const [, flags = ''] =
    /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${linked.fd}`, 'utf8')) ?? [];
  expect(Number.parseInt(flags, 8) & O_CLOEXEC).toBe(O_CLOEXEC);
  await Promise.all([linked.close(), source.close()]);
});
