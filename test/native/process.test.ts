/** Locks, processes, and fds that go from one process to another: with real processes. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, expect, type TestContext, test } from 'vitest';
import { type FdChannel, loadAddon } from '../../native/index.ts';
import { ioctlNumbers } from '../../src/abi/kvm/requests.ts';
import { collectGarbage, openFds, rejection, requireAddon, scripted, zeros } from './support.ts';

const ascii = (text: string) => new Uint8Array(Buffer.from(text));
const O_CLOEXEC = 0o2000000;
const SIGKILL = 9;

const addonPath = () => {
  const native = loadAddon();
  return native.available ? native.path : '';
};

/** A process with `addon` in scope; what it prints last ends with the test. */
function startProcess(
  context: TestContext,
  body: string,
  { fds = [] as number[] } = {},
): ChildProcess & { readonly said: Promise<string> } {
  const program = `const addon = require(${JSON.stringify(addonPath())}); (async () => { ${body} })();`;
  const child = spawn(process.execPath, ['-e', program], {
    stdio: ['pipe', 'pipe', 'inherit', ...fds],
  });
  context.onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const { stdout } = child;
  const said = stdout
    ? once(stdout, 'data').then(([text]) => String(text).trim())
    : Promise.reject();
  return Object.assign(child, { said });
}

function makeDirectory(context: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'tdctl-process-'));
  context.onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

describe('a lock', () => {
  const holds = (path: string) =>
    `const fd = require('node:fs').openSync(${JSON.stringify(path)}, 'a+');
     console.log(addon.tryLock(fd));
     setInterval(() => {}, 1000);`;

  test('is of one process, which can be asked for, and is free when that is killed', async (context) => {
    const addon = requireAddon(context);
    const path = join(makeDirectory(context), 'lock');
    const fd = openSync(path, 'a+');
    expect(addon.lockHolder(fd)).toBeUndefined();
    const holder = startProcess(context, holds(path));
    expect(await holder.said).toBe('true');
    expect(addon.tryLock(fd)).toBe(false);
    expect(addon.lockHolder(fd)).toBe(holder.pid);
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    expect(addon.lockHolder(fd)).toBeUndefined();
    expect(addon.tryLock(fd)).toBe(true);
    // It may be asked for again.
    expect(addon.tryLock(fd)).toBe(true);
    expect(addon.lockHolder(fd)).toBe(process.pid);
    const late = startProcess(context, holds(path));
    expect(await late.said).toBe('false');
    closeSync(fd);
  });

  test('is of the opened file, so a process has it not twice', async (context) => {
    const addon = requireAddon(context);
    const path = join(makeDirectory(context), 'lock');
    const [first, second] = [openSync(path, 'a+'), openSync(path, 'a+')];
    expect(addon.tryLock(first)).toBe(true);
    expect(addon.tryLock(second)).toBe(false);
    closeSync(first);
    expect(addon.tryLock(second)).toBe(true);
    closeSync(second);
  });

  test('is of one among many that try at once', async (context) => {
    requireAddon(context);
    const path = join(makeDirectory(context), 'lock');
    const all = Array.from({ length: 6 }, () => startProcess(context, holds(path)));
    const said = await Promise.all(all.map((each) => each.said));
    expect(said.filter((text) => text === 'true')).toHaveLength(1);
  });

  test('is refused on what is no fd', (context) => {
    const addon = requireAddon(context);
    expect(() => addon.tryLock(999_999)).toThrow(
      expect.objectContaining({ code: 'EBADF', syscall: 'flock' }),
    );
    expect(() => addon.tryLock(-1)).toThrow('`fd` must be an integer from 0 to 2147483647');
    expect(addon.lockHolder(999_999)).toBeUndefined();
  });
});

describe('a pidfd', () => {
  test('tells when its process has ended, and what is gone is not there', async (context) => {
    const addon = requireAddon(context);
    const child = startProcess(context, "console.log('up'); setInterval(() => {}, 1000);");
    await child.said;
    const pidfd = await addon.Pidfd.open(child.pid ?? 0);
    await pidfd.signal(0);
    let hasEnded = false;
    const ended = pidfd.ended().then(() => {
      hasEnded = true;
    });
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(hasEnded).toBe(false);
    await pidfd.signal(SIGKILL);
    await ended;
    await pidfd.ended();
    if (child.signalCode === null) await once(child, 'exit');
    expect(await rejection(pidfd.signal(0))).toMatchObject({
      code: 'ESRCH',
      syscall: 'pidfd_send_signal',
    });
    expect(await rejection(addon.Pidfd.open(child.pid ?? 0))).toMatchObject({ code: 'ESRCH' });
    await pidfd.close();
    expect(await rejection(pidfd.signal(0))).toMatchObject({ code: 'EBADF' });
  });

  test('that is closed tells those who wait for it', async (context) => {
    const addon = requireAddon(context);
    const pidfd = await addon.Pidfd.open(process.pid);
    const waiting = rejection(pidfd.ended());
    await pidfd.close();
    expect(await waiting).toMatchObject({ code: 'EBADF', message: 'the pidfd is closed' });
  });

  test('that nobody has is closed by the collector, and not while it is waited for', async (context) => {
    const addon = requireAddon(context);
    const child = startProcess(context, "console.log('up'); setInterval(() => {}, 1000);");
    await child.said;
    const leaked = addon.leakedFds();
    const ended = (async () => (await addon.Pidfd.open(child.pid ?? 0)).ended())();
    await collectGarbage();
    expect(addon.leakedFds()).toBe(leaked);
    child.kill('SIGKILL');
    await ended;
    await collectGarbage();
    expect(addon.leakedFds()).toBe(leaked + 1);
  });

  test('is refused for what is no process', async (context) => {
    const addon = requireAddon(context);
    expect((await rejection(addon.Pidfd.open(0))).message).toBe(
      '`pid` must be an integer from 1 to 2147483647',
    );
    expect(await rejection(addon.Pidfd.open(0x7fff_fffe))).toMatchObject({
      code: 'ESRCH',
      message: 'pidfd_open 2147483646: ESRCH',
    });
  });

  test('ends with its worker thread, and with a process that exits', async (context) => {
    requireAddon(context);
    const before = openFds();
    const body = (then: string) =>
      `const addon = require(${JSON.stringify(addonPath())});
       addon.Pidfd.open(process.ppid).then((pidfd) => { void pidfd.ended(); ${then} });`;
    for (let round = 0; round < 5; round += 1) {
      const post = "require('node:worker_threads').parentPort.postMessage('up')";
      const worker = new Worker(body(post), { eval: true });
      await once(worker, 'message');
      await worker.terminate();
    }
    const left = [...openFds()].filter(([fd, of]) => /pidfd/.test(of) && !before.has(fd));
    expect(left).toEqual([]);
    const { status } = spawnSync(process.execPath, ['-e', body('process.exit(7)')]);
    expect(status).toBe(7);
  });
});

describe('a peer', () => {
  test('is known by its credentials, and by a pidfd', async (context) => {
    const addon = requireAddon(context);
    const path = join(makeDirectory(context), 'socket');
    const server = createServer({ pauseOnConnect: true }).listen(path);
    await once(server, 'listening');
    const child = startProcess(
      context,
      `require('node:net').connect(${JSON.stringify(path)}); setInterval(() => {}, 1000);`,
    );
    const [socket] = (await once(server, 'connection')) as [Socket];
    const fd = fdOf(socket);
    expect(addon.peerCredentials(fd)).toEqual({
      pid: child.pid,
      uid: process.getuid?.(),
      gid: process.getgid?.(),
    });
    const pidfd = await addon.Pidfd.ofPeer(fd).catch((error: Error) =>
      // Linux 6.5.
      context.skip(`SO_PEERPIDFD: ${error.message}`),
    );
    const ended = pidfd.ended();
    child.kill('SIGKILL');
    await ended;
    await pidfd.close();
    socket.destroy();
    server.close();
  });

  test('is asked for on sockets only', async (context) => {
    const addon = requireAddon(context);
    const fd = openSync('/dev/null', 'r');
    const refusal = { code: 'ENOTSOCK', syscall: 'getsockopt' };
    expect(() => addon.peerCredentials(fd)).toThrow(expect.objectContaining(refusal));
    expect(await rejection(addon.Pidfd.ofPeer(fd))).toMatchObject(refusal);
    expect(() => addon.FdChannel.of(fd)).toThrow(expect.objectContaining(refusal));
    closeSync(fd);
  });
});

describe('a datagram', () => {
  const bytes = ascii('READY=1');

  test('goes to a socket that is there, and is refused with the errno where none is', (context) => {
    const addon = requireAddon(context);
    const path = join(makeDirectory(context), 'socket');
    const refusal = (code: string) => expect.objectContaining({ code, syscall: 'sendto' });
    expect(() => addon.sendDatagram(path, bytes)).toThrow(refusal('ENOENT'));
    expect(() => addon.sendDatagram('@tdctl-test/nobody', bytes)).toThrow(refusal('ECONNREFUSED'));
    closeSync(openSync(path, 'w'));
    expect(() => addon.sendDatagram(path, bytes)).toThrow(refusal('ECONNREFUSED'));
  });

  test('is not sent to what is no address', (context) => {
    const addon = requireAddon(context);
    const fds = openFds().size;
    // sun_path has 108 bytes, and a path ends with a NUL.
    expect(() => addon.sendDatagram(`/${'a'.repeat(106)}`, bytes)).toThrow(/ENOENT/);
    expect(() => addon.sendDatagram(`/${'a'.repeat(107)}`, bytes)).toThrow(RangeError);
    expect(() => addon.sendDatagram(`@${'a'.repeat(107)}`, bytes)).toThrow(/ECONNREFUSED/);
    expect(() => addon.sendDatagram(`@${'a'.repeat(108)}`, bytes)).toThrow(RangeError);
    for (const path of ['', 'a\0b']) {
      expect(() => addon.sendDatagram(path, bytes)).toThrow(RangeError);
    }
    for (const path of [undefined, 7, {}]) {
      expect(() => addon.sendDatagram(path as string, bytes)).toThrow(TypeError);
    }
    expect(() => addon.sendDatagram('/x', 'text' as never)).toThrow(TypeError);
    expect(openFds().size).toBe(fds);
  });
});

const fdOf = (socket: Socket) => (socket as unknown as { _handle: { fd: number } })._handle.fd;

function channels(context: TestContext): readonly [FdChannel, FdChannel] {
  const pair = requireAddon(context).FdChannel.pair();
  context.onTestFinished(async () => {
    await Promise.all(pair.map((channel) => channel.close()));
  });
  return pair;
}

describe('a channel', () => {
  test('carries memory to another process, which writes there', async (context) => {
    const addon = requireAddon(context);
    const [ours, theirs] = channels(context);
    const memory = await addon.UserMemory.map(8192n, { shared: true });
    memory.write(0n, ascii('from here'));
    const child = startProcess(
      context,
      `const channel = addon.FdChannel.of(3);
       const { bytes, fds } = await channel.receive({ maxBytes: 100, maxFds: 1 });
       const memory = await addon.UserMemory.ofFd(fds[0]);
       await Promise.all([fds[0].close(), channel.close()]);
       console.log(Buffer.from(bytes) + ' ' + Buffer.from(memory.read(0n, 9)) + ' ' + memory.sizeBytes);
       memory.write(4096n, Buffer.from('from there'));
       await memory.close();`,
      { fds: [theirs.fd] },
    );
    await ours.send(ascii('memory'), [memory]);
    expect(await child.said).toBe('memory from here 8192');
    await once(child, 'exit');
    expect(Buffer.from(memory.read(4096n, 10)).toString()).toBe('from there');
    await memory.close();
  });

  test('carries a VM and its guest_memfd, which the receiver can only close', async (context) => {
    const { vm, script } = await scripted(context);
    script({ request: ioctlNumbers.KVM_CREATE_GUEST_MEMFD, returns: 'fd' });
    const guestMemfd = await vm.kvmCreateGuestMemfd({ sizeBytes: 8192n });
    const [ours, theirs] = channels(context);
    await ours.send(Uint8Array.of(1), [vm, guestMemfd]);
    const { bytes, fds } = await theirs.receive({ maxBytes: 10, maxFds: 10 });
    expect([...bytes]).toEqual([1]);
    expect(fds).toHaveLength(2);
    for (const passed of fds) {
      expect([vm.fd, guestMemfd.fd]).not.toContain(passed.fd);
      const flags = /^flags:\s*(\d+)$/m.exec(
        readFileSync(`/proc/self/fdinfo/${passed.fd}`, 'utf8'),
      )?.[1];
      expect(Number.parseInt(flags ?? '', 8) & O_CLOEXEC).toBe(O_CLOEXEC);
    }
    // They may be passed on, and a VM be what a TD is moved from.
    const [passedVm] = fds;
    if (passedVm) {
      await ours.send(Uint8Array.of(2), [passedVm]);
      const { calls } = script({ request: ioctlNumbers.KVM_ENABLE_CAP });
      await vm.kvmMoveEncContextFrom(passedVm);
      const args = new BigUint64Array(
        calls()[0]?.argument.slice(8, 16).buffer ?? new ArrayBuffer(8),
      );
      expect(args[0]).toBe(BigInt(passedVm.fd));
    }
    // A guest_memfd is one of this process too, with an fd of its own.
    const [, passedMemfd] = fds;
    if (passedMemfd) {
      const adopted = requireAddon(context).GuestMemfd.ofFd(passedMemfd, 8192n);
      expect(adopted.sizeBytes).toBe(8192n);
      expect([guestMemfd.fd, passedMemfd.fd]).not.toContain(adopted.fd);
      await passedMemfd.close();
      const { calls } = script({ request: ioctlNumbers.KVM_LINK_GUEST_MEMFD, returns: 'fd' });
      const linked = await vm.kvmLinkGuestMemfd(adopted);
      expect(linked.sizeBytes).toBe(8192n);
      const [named] = new BigUint64Array(
        calls()[0]?.argument.slice(0, 8).buffer ?? new ArrayBuffer(8),
      );
      expect(named).toBe(BigInt(adopted.fd));
      await Promise.all([adopted.close(), linked.close()]);
      expect(adopted.fd).toBe(-1);
    }
    const again = await theirs.receive({ maxBytes: 10, maxFds: 1 });
    await Promise.all([...fds, ...again.fds, guestMemfd].map((object) => object.close()));
    expect(passedVm?.fd).toBe(-1);
  });

  test('takes no more fds than there is room for, and keeps none of them', async (context) => {
    const { vm } = await scripted(context);
    const [ours, theirs] = channels(context);
    const before = openFds();
    for (const [sent, maxFds] of [
      [2, 1],
      [1, 0],
      [253, 252],
      [3, 2],
    ] as const) {
      await ours.send(
        Uint8Array.of(1),
        Array.from({ length: sent }, () => vm),
      );
      expect(await rejection(theirs.receive({ maxBytes: 1, maxFds }))).toMatchObject({
        code: 'EMSGSIZE',
        message: 'a message had more fds or bytes than there was room for',
      });
      expect(openFds()).toEqual(before);
    }
    await ours.send(
      Uint8Array.of(1),
      Array.from({ length: 253 }, () => vm),
    );
    const { fds } = await theirs.receive({ maxBytes: 1, maxFds: 253 });
    expect(fds).toHaveLength(253);
    await Promise.all(fds.map((passed) => passed.close()));
    expect(openFds()).toEqual(before);
  });

  test('waits for a reader, with more bytes than a socket takes, and fds with the first', async (context) => {
    const { vm } = await scripted(context);
    const [ours, theirs] = channels(context);
    const bytes = zeros(3 << 20).fill(9);
    const sent = ours.send(bytes, [vm]);
    expect(await rejection(ours.send(bytes))).toMatchObject({
      code: 'EBUSY',
      message: 'the channel sends already',
    });
    let length = 0;
    let passed = 0;
    while (length < bytes.length) {
      const message = await theirs.receive({ maxBytes: 1 << 20, maxFds: 1 });
      expect(message.bytes.every((byte) => byte === 9)).toBe(true);
      length += message.bytes.length;
      passed += message.fds.length;
      await Promise.all(message.fds.map((each) => each.close()));
    }
    await sent;
    expect(passed).toBe(1);
  });

  test('carries whole messages at once, in their order, whatever has come of one', async (context) => {
    const [ours, theirs] = channels(context);
    expect(theirs.receiveNow(0)).toBeUndefined();
    const long = zeros(100_000).fill(7);
    expect([ours.sendNow(long, 0), ours.sendNow(Uint8Array.of(1), 0)]).toEqual([true, true]);
    expect(theirs.receiveNow(0)).toEqual(long);
    expect(theirs.receiveNow(0)).toEqual(Uint8Array.of(1));
    // A message of three bytes, in pieces.
    await ours.send(Uint8Array.of(3, 0, 0));
    expect(theirs.receiveNow(0)).toBeUndefined();
    await ours.send(Uint8Array.of(0, 4, 5));
    expect(theirs.receiveNow(0)).toBeUndefined();
    await ours.send(Uint8Array.of(6));
    expect(theirs.receiveNow(0)).toEqual(Uint8Array.of(4, 5, 6));
  });

  test('sends nothing at once that the peer has no room for, or that no message is', async (context) => {
    const [ours, theirs] = channels(context);
    expect(ours.sendNow(zeros(4 << 20), 1)).toBe(false);
    expect(() => ours.sendNow(zeros(0), 0)).toThrow(RangeError);
    expect(() => ours.sendNow(zeros(1), 1e9)).toThrow(RangeError);
    const [one, other] = channels(context);
    await one.send(zeros(4).fill(0xff));
    expect(() => other.receiveNow(0)).toThrow(expect.objectContaining({ code: 'EMSGSIZE' }));
    await theirs.close();
    expect(ours.sendNow(Uint8Array.of(1), 1000)).toBe(false);
    expect(ours.receiveNow(0)).toBeUndefined();
    await ours.close();
    expect(() => ours.receiveNow(0)).toThrow(expect.objectContaining({ code: 'EBADF' }));
  });

  test('tells of a peer that is gone, in the middle and at the end', async (context) => {
    const [ours, theirs] = channels(context);
    const waiting = ours.receive({ maxBytes: 1, maxFds: 0 });
    expect(await rejection(ours.receive({ maxBytes: 1, maxFds: 0 }))).toMatchObject({
      code: 'EBUSY',
    });
    await theirs.close();
    expect(await waiting).toEqual({ bytes: zeros(0), fds: [] });
    expect(await rejection(ours.send(Uint8Array.of(1)))).toMatchObject({ code: 'EPIPE' });
  });

  test('that is closed tells those who wait for it', async (context) => {
    const [ours, theirs] = channels(context);
    const waiting = rejection(ours.receive({ maxBytes: 1, maxFds: 0 }));
    const sending = rejection(ours.send(zeros(4 << 20)));
    await ours.close();
    expect(await waiting).toMatchObject({ code: 'EBADF', message: 'the channel is closed' });
    expect(await sending).toMatchObject({ code: 'EBADF' });
    expect(await rejection(ours.send(Uint8Array.of(1)))).toMatchObject({ code: 'EBADF' });
    // What was on its way is there still.
    expect((await theirs.receive({ maxBytes: 1, maxFds: 0 })).bytes).toHaveLength(1);
  });

  test('gives an fd to whoever takes its number, who has to close it', async (context) => {
    const addon = requireAddon(context);
    const [ours, theirs] = channels(context);
    const memory = await addon.UserMemory.map(4096n, { shared: true });
    await ours.send(Uint8Array.of(1), [memory]);
    const { fds } = await theirs.receive({ maxBytes: 1, maxFds: 1 });
    const [passed] = fds;
    if (passed === undefined) throw new Error('no fd came');
    const fd = passed.take();
    expect(passed.fd).toBe(-1);
    expect(() => passed.take()).toThrow(expect.objectContaining({ code: 'EBADF' }));
    await passed.close();
    expect(fstatSync(fd).size).toBe(4096);
    closeSync(fd);
    await memory.close();
  });

  test('may be a connection that this process has accepted', async (context) => {
    const { addon, vm } = await scripted(context);
    const path = join(makeDirectory(context), 'socket');
    const server = createServer({ pauseOnConnect: true }).listen(path);
    await once(server, 'listening');
    const client = connect(path);
    const [socket] = (await once(server, 'connection')) as [Socket];
    client.pause();
    const [accepted, connected] = [
      addon.FdChannel.of(fdOf(socket)),
      addon.FdChannel.of(fdOf(client)),
    ];
    await accepted.send(ascii('a VM'), [vm]);
    const { bytes, fds } = await connected.receive({ maxBytes: 100, maxFds: 1 });
    expect(Buffer.from(bytes).toString()).toBe('a VM');
    expect(fds).toHaveLength(1);
    await Promise.all([accepted, connected, ...fds].map((object) => object.close()));
    socket.destroy();
    client.destroy();
    server.close();
  });

  test('holds nothing of a receiver that is killed with fds on the way', async (context) => {
    const addon = requireAddon(context);
    const [ours, theirs] = channels(context);
    const child = startProcess(context, "console.log('up'); setInterval(() => {}, 1000);", {
      fds: [theirs.fd],
    });
    await child.said;
    await theirs.close();
    const memory = await addon.UserMemory.map(4096n, { shared: true });
    await ours.send(Uint8Array.of(1), [memory]);
    child.kill('SIGKILL');
    await once(child, 'exit');
    // ECONNRESET, because something had not been read.
    const left = await ours.receive({ maxBytes: 1, maxFds: 0 }).catch((error: unknown) => error);
    expect([
      { bytes: zeros(0), fds: [] },
      expect.objectContaining({ code: 'ECONNRESET' }),
    ]).toContainEqual(left);
    await memory.close();
  });

  test('ends with its worker thread, and with a process that exits', async (context) => {
    requireAddon(context);
    const before = openFds();
    const body = (then: string) =>
      `const addon = require(${JSON.stringify(addonPath())});
       const [one, other] = addon.FdChannel.pair();
       void one.receive({ maxBytes: 1, maxFds: 1 }); void one.send(new Uint8Array(8 << 20)); ${then}`;
    for (let round = 0; round < 5; round += 1) {
      const post = "require('node:worker_threads').parentPort.postMessage('up')";
      const worker = new Worker(body(post), { eval: true });
      await once(worker, 'message');
      await worker.terminate();
    }
    const left = [...openFds()].filter(([fd, of]) => /socket/.test(of) && !before.has(fd));
    expect(left).toEqual([]);
    const { status } = spawnSync(process.execPath, ['-e', body('process.exit(7)')]);
    expect(status).toBe(7);
  });

  test('sends and maps nothing else', async (context) => {
    const { addon, vm, vcpu } = await scripted(context);
    const [ours, theirs] = channels(context);
    const anonymous = await addon.UserMemory.map(4096n);
    const messages = [
      [[vcpu], '`fds[0]` must be a Vm, a GuestMemfd, a UserMemory, an FdChannel or a PassedFd'],
      [[vm, 3], '`fds[1]` must be a Vm, a GuestMemfd, a UserMemory, an FdChannel or a PassedFd'],
      [[anonymous], '`fds[0]` must be shared memory'],
      [Array(254).fill(vm), '`fds` must be an array of at most 253 elements'],
    ] as const;
    for (const [fds, message] of messages) {
      expect((await rejection(ours.send(Uint8Array.of(1), fds as never))).message).toBe(message);
    }
    expect((await rejection(ours.send(zeros(0)))).message).toBe(
      '`bytes` must have 1 to 16777216 bytes',
    );
    expect((await rejection(addon.UserMemory.ofFd(vm as never))).message).toBe(
      '`fd` must be a PassedFd',
    );
    expect(() => addon.GuestMemfd.ofFd(vm as never, 4096n)).toThrow('`fd` must be a PassedFd');
    // /dev/null, which a VM is here, is no memory.
    await ours.send(Uint8Array.of(1), [vm]);
    const { fds } = await theirs.receive({ maxBytes: 1, maxFds: 1 });
    const [passed] = fds;
    if (passed) {
      expect(await rejection(addon.UserMemory.ofFd(passed))).toMatchObject({ code: 'EINVAL' });
      await passed.close();
    }
    await anonymous.close();
  });
});

test('memory that was passed is the same when its first owner is gone', async (context) => {
  const addon = requireAddon(context);
  const [ours, theirs] = channels(context);
  const memory = await addon.UserMemory.map(4096n, { shared: true });
  memory.write(0n, ascii('kept'));
  await ours.send(Uint8Array.of(1), [memory]);
  await memory.close();
  const { fds } = await theirs.receive({ maxBytes: 1, maxFds: 1 });
  const [passed] = fds;
  if (!passed) throw new Error('nothing was passed');
  const again = await addon.UserMemory.ofFd(passed);
  await passed.close();
  expect(Buffer.from(again.read(0n, 4)).toString()).toBe('kept');
  expect(again.fd).toBeGreaterThan(2);
  await again.discard(0n, 4096n);
  expect(again.read(0n, 4)).toEqual(zeros(4));
  await again.close();
});
