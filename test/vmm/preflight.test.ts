import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseTrustDomain } from '../../src/spec/index.ts';
import { kernelFiles } from '../../src/vmm/preflight/finding.ts';
import { preflightVmm } from '../../src/vmm/preflight/index.ts';
import { noQemu, qemu } from '../exec/qemu/qemu.ts';
import { specText } from '../spec/valid-spec.ts';
import { writeQcow2 } from './qcow2.ts';

let directory: string;
const servers: Server[] = [];
const children: ChildProcess[] = [];
const inside = (name: string) => join(directory, name);

function put(path: string, text = '') {
  mkdirSync(dirname(inside(path)), { recursive: true });
  writeFileSync(inside(path), text);
}

async function listening(where: string | { port: number; host: string }): Promise<Server> {
  const server = createServer();
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(where as never, () => resolve()));
  return server;
}

/** A host of a few files: a tap of each kind, a bridge, two PCI devices, a guest with vsock. */
function makeHost() {
  const taps = {
    mine: ['0x1002', String(process.geteuid?.()), '-1', '0'],
    theirs: ['0x1002', '4711', '-1', '0'],
    used: ['0x1002', '-1', '-1', '1'],
    tun: ['0x1001', '-1', '-1', '0'],
  };
  for (const [name, [flags, owner, group, carrier]] of Object.entries(taps)) {
    const values = { tun_flags: flags, owner, group, carrier };
    for (const [file, value] of Object.entries(values)) {
      put(`sys/class/net/${name}/${file}`, `${value}\n`);
    }
  }
  put('sys/class/net/eth0/carrier', '1\n');
  put('sys/class/net/br0/bridge/bridge_id', '');
  put('dev/net/tun');
  put('dev/vhost-vsock');
  put('dev/iommu');
  put('dev/vfio/devices/vfio7');
  put('proc/self/status', 'CapEff:\t0000000000000000\n');
  put('proc/locks', '');
  put('proc/4711/comm', 'qemu-system-x86\n');
  put('proc/4711/cmdline', '-device\0{"driver":"vhost-vsock-pci","guest-cid":42}\0');
  mkdirSync(inside('proc/4711/fd'), { recursive: true });
  symlinkSync(inside('dev/vhost-vsock'), inside('proc/4711/fd/9'));
  for (const [address, driver] of [
    ['0000:17:00.0', 'vfio-pci'],
    ['0000:18:00.0', 'nvme'],
    ['0000:19:00.0', undefined],
    ['0000:1a:00.0', 'vfio-pci'],
  ] as const) {
    put(`sys/bus/pci/devices/${address}/vendor`);
    if (driver) symlinkSync(`/drivers/${driver}`, inside(`sys/bus/pci/devices/${address}/driver`));
  }
  put('sys/bus/pci/devices/0000:17:00.0/vfio-dev/vfio7/dev');
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tdctl-pre-'));
  makeHost();
  writeQcow2(inside('plain.qcow2'));
  writeQcow2(inside('over.qcow2'), { backing: 'plain.qcow2', backingFormat: 'qcow2' });
  writeQcow2(inside('orphan.qcow2'), { backing: 'gone.qcow2', backingFormat: 'qcow2' });
  writeQcow2(inside('vague.qcow2'), { backing: 'plain.qcow2' });
  writeQcow2(inside('circle.qcow2'), { backing: 'circle.qcow2', backingFormat: 'qcow2' });
  writeQcow2(inside('remote.qcow2'), { backing: 'nbd://host/root', backingFormat: 'raw' });
  writeFileSync(inside('plain.raw'), Buffer.alloc(4096));
  symlinkSync('plain.raw', inside('link.raw'));
  linkSync(inside('plain.raw'), inside('hard.raw'));
  symlinkSync('circle.raw', inside('circle.raw'));
  writeFileSync(inside('tiny.raw'), Buffer.alloc(511));
  execFileSync('mkfifo', [inside('pipe')]);
  put('stale.sock');
  symlinkSync('.', inside('by-link'));
  const kernel = Buffer.alloc(0x400);
  kernel.write('HdrS', 0x202);
  writeFileSync(inside('old-kernel'), kernel);
  kernel.write('MZ');
  kernel.writeUInt16LE(0x20f, 0x206);
  kernel.writeUInt32LE(2047, 0x238);
  writeFileSync(inside('kernel'), kernel);
  await listening(inside('here.sock'));
});
afterAll(() => {
  for (const server of servers) server.close();
  for (const child of children) child.kill('SIGKILL');
  rmSync(directory, { recursive: true });
});

const fakeHost = () => ({ sys: inside('sys'), proc: inside('proc'), dev: inside('dev') });

async function look(fields: Record<string, string>, kernel = kernelFiles) {
  const spec = parseTrustDomain(specText({ engine: 'qemu', ...fields }), {
    path: inside('td.yaml'),
  });
  const { findings, ...rest } = await preflightVmm(spec, kernel);
  const texts = findings.map(({ message, place, hint, code }) => {
    expect(place).toMatch(/td\.yaml:\d+:\d+$/);
    expect(hint).toBeTruthy();
    expect(code).toBe('TDCTL_E_DEVICE');
    return message.replaceAll(directory, '.');
  });
  return { texts, ...rest };
}

const disk = (fields: string) => ({ disks: `[{ ${fields} }]` });

describe('a disk that cannot be had is found, with its place', () => {
  test.each([
    ['path: absent.raw', /^spec.disks.0.path cannot be had: .*absent.raw: there is no such file/],
    ['path: sys', /sys is neither a file nor a block device/],
    ['path: pipe', /pipe is neither a file nor a block device/],
    ['path: tiny.raw', /tiny.raw has 511 bytes, and a disk has at least one sector of 512/],
    ['path: circle.raw', /its symbolic links lead in a circle \(ELOOP\)/],
    [`path: ${'x'.repeat(300)}`, /longer than a path may be \(ENAMETOOLONG\)/],
    ['path: remote.qcow2, format: qcow2', /has a backing file that is no file \(nbd:\)/],
    [
      'path: plain.raw, format: qcow2',
      /^spec.disks.0.format cannot be had: .*plain.raw is no qcow2/,
    ],
    ['path: plain.qcow2', /plain.qcow2 is a qcow2, and the guest would see that as it is/],
    ['path: orphan.qcow2, format: qcow2', /its backing file .*gone.qcow2: there is no such file/],
    ['path: vague.qcow2, format: qcow2', /does not say of which format its backing file is/],
    ['path: circle.qcow2, format: qcow2', /a chain of more than 32 backing files/],
  ])('%s', async (fields, problem) => {
    const { texts } = await look(disk(fields));
    expect(texts).toEqual([expect.stringMatching(problem)]);
  });

  test.each([
    ['{ path: plain.raw }, { path: link.raw }', /^spec.disks.1.path .*both write to it/],
    ['{ path: plain.raw, readOnly: true }, { path: hard.raw }', /one of the two writes to it/],
    ['{ path: plain.raw, readOnly: true }, { path: hard.raw, readOnly: true }', undefined],
    [
      '{ path: over.qcow2, format: qcow2 }, { path: plain.qcow2, format: qcow2 }',
      /plain.qcow2 is the same file as that of spec.disks.0.path, and one of the two writes/,
    ],
  ])('of two that are one: %s', async (disks, problem) => {
    const { texts } = await look({ disks: `[${disks}]` });
    expect(texts).toEqual(problem ? [expect.stringMatching(problem)] : []);
  });

  test('and one that can is taken with all that it consists of', async () => {
    const { texts, disks } = await look(disk('path: over.qcow2, format: qcow2'));
    expect(texts).toEqual([]);
    const layer = (name: string) => ({ path: inside(name), format: 'qcow2', isBlockDevice: false });
    expect(disks).toEqual([[layer('over.qcow2'), layer('plain.qcow2')]]);
  });

  test('by the locks of the QEMU that has it, with its name', async (context) => {
    if (qemu === undefined) return context.skip(noQemu);
    for (const name of ['written.raw', 'read.raw']) writeFileSync(inside(name), Buffer.alloc(4096));
    const drive = (name: string, more: string) => [
      ...[
        '-blockdev',
        `driver=raw,node-name=${name},file.driver=file,file.filename=${inside(`${name}.raw`)}${more}`,
      ],
      ...['-device', `virtio-blk-pci,drive=${name}`],
    ];
    const child = spawn(qemu.program, [
      ...[
        '-machine',
        'q35',
        '-accel',
        'tcg',
        '-nodefaults',
        '-display',
        'none',
        '-S',
        '-qmp',
        'stdio',
      ],
      ...drive('written', ''),
      ...drive('read', ',read-only=on,file.read-only=on'),
    ]);
    children.push(child);
    // It greets before its disks are open, and answers after.
    child.stdin.write('{"execute":"qmp_capabilities"}\n');
    await new Promise<void>((resolve) =>
      child.stdout.on('data', (text) => String(text).includes('"return"') && resolve()),
    );
    const inUse = new RegExp(`is in use: .*\\(PID ${child.pid}\\) has QEMU's lock on it`);
    for (const [fields, found] of [
      ['path: written.raw', [expect.stringMatching(inUse)]],
      ['path: written.raw, readOnly: true', [expect.stringMatching(inUse)]],
      ['path: read.raw', [expect.stringMatching(inUse)]],
      ['path: read.raw, readOnly: true', []],
    ] as const) {
      expect((await look(disk(fields))).texts, fields).toEqual(found);
    }
    return undefined;
  });
});

describe('a network that cannot be had is found, with its place', () => {
  test('a port that is taken', async () => {
    const server = await listening({ port: 0, host: '127.0.0.1' });
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const { texts } = await look({ networks: `[{ user: { forward: ['${port}:22'] } }]` });
    expect(texts).toEqual([
      `spec.networks.0.user.forward.0 cannot be had: port ${port} (tcp) of 127.0.0.1 is taken (EADDRINUSE)`,
    ]);
  });

  test('an address that is not the host’s', async () => {
    const { texts } = await look({
      networks: "[{ user: { forward: ['udp:192.0.2.1:5353:53'] } }]",
    });
    expect(texts).toEqual([expect.stringContaining('has an address that the host does not have')]);
  });

  test.each([
    ['tap: mine', undefined],
    ['tap: absent', /there is no interface absent, and this user may not make one/],
    ['tap: eth0', /eth0 is no tap interface/],
    ['tap: tun', /tun is no tap interface/],
    ['tap: theirs', /that of the user with the ID 4711, and this user may not use it/],
    ['tap: used', /is in use: another program has it open/],
    ['bridge: br0', undefined],
    ['bridge: eth0', /eth0 is no bridge/],
    ['bridge: br9', /there is no interface br9/],
  ])('%s', async (fields, problem) => {
    const { texts } = await look({ networks: `[{ ${fields} }]` }, fakeHost());
    expect(texts).toEqual(problem ? [expect.stringMatching(problem)] : []);
  });

  test.each([
    ['here.sock', undefined],
    ['gone.sock', /there is no socket/],
    ['stale.sock', /is no socket/],
    ['by-link/here.sock', undefined],
    ['x'.repeat(120), /has \d+ bytes, and that of a UNIX socket has at most 107/],
  ])('vhost-user by %s', async (path, problem) => {
    const { texts } = await look({ networks: `[{ vhostUser: ${path} }]` });
    expect(texts).toEqual(problem ? [expect.stringMatching(problem)] : []);
  });
});

describe('a device that cannot be had is found, with its place', () => {
  test.each([
    ['0000:17:00.0', undefined],
    ['0000:16:00.0', /there is no PCI device 0000:16:00.0/],
    ['0000:18:00.0', /has the driver nvme, and not vfio-pci/],
    ['0000:19:00.0', /has no driver, and not vfio-pci/],
    ['0000:1a:00.0', /has no file for iommufd/],
  ])('%s', async (address, problem) => {
    const { texts, vfioFiles } = await look({ devices: `[{ vfio: '${address}' }]` }, fakeHost());
    expect(texts).toEqual(problem ? [expect.stringMatching(problem)] : []);
    expect(vfioFiles).toEqual(problem ? [] : [inside('dev/vfio/devices/vfio7')]);
  });

  test('a context ID that another guest has, and no other', async () => {
    expect((await look({ vsock: '42' }, fakeHost())).texts).toEqual([
      'spec.vsock cannot be had: the context ID 42 is taken by qemu-system-x86 (PID 4711)',
    ]);
    expect((await look({ vsock: '43' }, fakeHost())).texts).toEqual([]);
    const none = { ...fakeHost(), dev: inside('no-dev') };
    expect((await look({ vsock: 'auto' }, none)).texts).toEqual([
      'spec.vsock cannot be had: this host has no /dev/vhost-vsock',
    ]);
  });

  test.each([
    ['here.sock', undefined],
    ['gone.sock', /there is no such socket \(ENOENT\); every quote would be empty/],
    ['stale.sock', /nobody listens there \(ECONNREFUSED\)/],
    ['x'.repeat(100), /has \d+ bytes, and that of a UNIX socket has at most 107/],
  ])('quotes by %s', async (path, problem) => {
    const { texts } = await look({ quotes: `{ socket: 'unix:${path}' }` });
    expect(texts).toEqual(problem ? [expect.stringMatching(problem)] : []);
  });

  test.each([
    ['plain.raw', /is no bzImage/],
    ['old-kernel', /has no EFI stub/],
    ['kernel', undefined],
  ])('a kernel: %s', async (path, problem) => {
    const { texts } = await look({ boot: `{ kernel: ${path} }` });
    expect(texts).toEqual(problem ? [expect.stringMatching(problem)] : []);
  });

  test.each([
    [16, undefined],
    [2047, undefined],
    [2048, /^spec.boot.cmdline .*it has 2048 bytes, and this kernel takes 2047 at most/],
  ])('a command line of %i bytes', async (bytes, problem) => {
    const { texts } = await look({ boot: `{ kernel: kernel, cmdline: ${'x'.repeat(bytes)} }` });
    expect(texts).toEqual(problem ? [expect.stringMatching(problem)] : []);
  });

  test.each([
    ['log: sys', /^spec.console.log .*sys is a directory, and no file to write to/],
    ['log: pipe', /pipe is a pipe, and no file to write to/],
    ['log: here.sock', /here.sock is a socket, and no file to write to/],
    ['log: none/guest.log', /there is no directory .*none/],
    ['log: /dev/full', undefined],
    ['log: new.log', undefined],
    ['socket: plain.raw', /^spec.console.socket .*is no socket: QEMU would remove it/],
    ['socket: here.sock', /here.sock is in use: somebody listens there/],
    ['socket: new.sock', undefined],
  ])('a console: %s', async (fields, problem) => {
    const { texts } = await look({ console: `{ ${fields} }` });
    expect(texts).toEqual(problem ? [expect.stringMatching(problem)] : []);
  });

  test('a console that would be written into a disk', async () => {
    const { texts } = await look({ ...disk('path: plain.raw'), console: '{ log: link.raw }' });
    expect(texts).toEqual([expect.stringMatching(/^spec.console.log .*that of spec.disks.0.path/)]);
  });

  test('a console that has no room', async () => {
    const long = 'x'.repeat(120);
    const { texts } = await look({ console: `{ log: none/guest.log, socket: ${long} }` });
    expect(texts).toEqual([
      'spec.console.log cannot be had: there is no directory ./none',
      expect.stringMatching(/has \d+ bytes, and that of a UNIX socket has at most 107/),
    ]);
  });
});
