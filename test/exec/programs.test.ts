/** Programs of every shape that open /dev/kvm themselves; each leaves the simulated host empty. */
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { MrtdStream, pageBytes } from '../../src/abi/tdx/mrtd.ts';
import {
  type Executed,
  type ExecuteOptions,
  execute,
  program,
  scratch,
  userOptions,
  users,
} from './programs.ts';

interface Subject {
  /** `name`, or `name: flags of the compiler`. */
  readonly source: string;
  readonly holds: string;
  readonly flags?: readonly string[];
  readonly host?: string;
  /** Key slots at the peak, TDs made. */
  readonly peak: number;
  readonly vms: number;
}

const oneSlot = 'sim:one-slot';

const subjects: readonly Subject[] = [
  { source: 'td', holds: 'a TD lives its whole life', peak: 1, vms: 1 },
  { source: 'td', holds: 'linked statically too', flags: ['-static'], peak: 1, vms: 1 },
  { source: 'raw-open', holds: 'every way to open a file is one', peak: 0, vms: 6 },
  { source: 'threads', holds: '80 threads are served at once', peak: 1, vms: 321 },
  { source: 'fork', holds: 'a child of fork gets EIO', peak: 2, vms: 2 },
  { source: 'vfork', holds: 'a child of vfork is in the same memory', peak: 1, vms: 2 },
  { source: 'exec-again', holds: 'exec makes another address space', peak: 2, vms: 3 },
  {
    source: 'fd-passing',
    holds: 'a VM lives where it was sent, and gets EIO there',
    host: oneSlot,
    peak: 1,
    vms: 2,
  },
  { source: 'dup', holds: 'a VM ends with its last copy', host: oneSlot, peak: 1, vms: 3 },
  {
    source: 'early-close',
    holds: 'a VM lives on in its vCPUs and its guest_memfds',
    host: oneSlot,
    peak: 1,
    vms: 2,
  },
  {
    source: 'mmap-after-close',
    holds: 'a VM lives on in a mapping of kvm_run',
    host: oneSlot,
    peak: 1,
    vms: 2,
  },
  { source: 'interrupted', holds: 'a vCPU that runs can be kicked', peak: 1, vms: 1 },
  { source: 'emfile', holds: 'EMFILE takes back what was made', peak: 1, vms: 2 },
  {
    source: 'punched',
    holds: 'a hole in a guest_memfd takes pages out of the TD',
    peak: 1,
    vms: 1,
  },
  { source: 'replaced-fds', holds: 'an fd that is closed meanwhile is EBADF', peak: 0, vms: 1 },
  { source: 'faulting-pointers', holds: 'bad pointers are EFAULT', peak: 1, vms: 1 },
  {
    source: 'killed',
    holds: 'a process that is killed gives everything back',
    host: oneSlot,
    peak: 1,
    vms: 6,
  },
  { source: 'clocks', holds: 'the clocks of a VM go as those of the program', peak: 0, vms: 1 },
  { source: 'other-ioctl', holds: "what is not KVM's is the kernel's", peak: 0, vms: 0 },
  { source: 'resized', holds: "no program changes the size of KVM's files", peak: 1, vms: 1 },
  {
    source: 'reopened',
    holds: "KVM's files are not opened a second time, and live on",
    host: oneSlot,
    peak: 1,
    vms: 3,
  },
  { source: 'open-flags', holds: 'flags, structs and paths mean what they mean', peak: 0, vms: 7 },
];

/** The program's own checks held, and of what it made nothing is left. */
function expectEmptyHost({ stdout, stderr, exitCode, summary }: Executed): void {
  expect({ stdout, stderr, exitCode }).toEqual({ stdout: '', stderr: '', exitCode: 0 });
  expect(summary).toMatchObject({
    stillOpen: [],
    keySlots: { used: 0 },
    leakedKeySlots: 0,
    exit: { how: 'code', status: 0 },
  });
}

describe.each(users)('run by %s', (user) => {
  test.for(subjects)('$source: $holds', async (subject, context) => {
    const { source, flags, host, peak, vms } = subject;
    const options: ExecuteOptions = {
      as: userOptions(context, user),
      ...(host === undefined ? {} : { host }),
    };
    const executed = await execute(
      [program(context, source, flags === undefined ? {} : { flags })],
      options,
    );
    expectEmptyHost(executed);
    expect(executed.summary.keySlots.peak).toBe(peak);
    expect(executed.summary.vms).toHaveLength(vms);
  });

  test('storm: calls that signals interrupt are done once', async (context) => {
    const as = userOptions(context, user);
    const executed = await execute([program(context, 'storm')], { as });
    expectEmptyHost(executed);
    const { vms, refusals } = executed.summary;
    expect(vms).toHaveLength(50);
    const once = {
      vcpus: { created: 1, initialized: 1 },
      pages: { added: 32, measured: 32 },
      mrtd: mrtdOfNumberedPages(32),
    };
    for (const vm of vms) expect(vm).toMatchObject(once);
    // Natively too, KVM_TDX_INIT_MEM_REGION is interrupted between two pages.
    const expected = ['KVM_TDX_CAPABILITIES E2BIG', 'KVM_TDX_INIT_MEM_REGION EINTR'];
    for (const { request, errno } of refusals) expect(expected).toContain(`${request} ${errno}`);
  });

  test('daemon: what goes on in the background is answered, and waited for', async (context) => {
    const as = userOptions(context, user);
    const file = join(scratch, `daemon-${users.indexOf(user)}`);
    const executed = await execute([program(context, 'daemon'), file], { as });
    expectEmptyHost(executed);
    expect(readFileSync(file, 'utf8')).toBe('ran\n');
    expect(executed.summary.vms).toMatchObject([{ type: 'td', mrtd: mrtdOfNumberedPages(1) }]);
  });
});

test('reopened-unseen: the first of two closes is not the last', async (context) => {
  const command = [program(context, 'reopened-unseen'), join(scratch, 'second-way')];
  expectEmptyHost(await execute(command, { host: oneSlot }));
});

test.for(['rfc-migration-v2', 'rfc-migration-v1', 'proposal-1'])(
  'moved: a TD goes through ten VMs under %s, with the key slot that it has',
  async (kernel, context) => {
    const command = [program(context, 'moved'), kernel];
    const executed = await execute(command, { args: ['--kernel', kernel] });
    expectEmptyHost(executed);
    expect(executed.summary.keySlots.peak).toBe(1);
    expect(executed.summary.vms).toHaveLength(11);
  },
);

describe('the system calls that other files take', () => {
  test.for(['system', 'vm', 'vcpu', 'stats', 'device', 'guest_memfd', 'mappable'])(
    'file-calls: a file of the kind %s answers them as that of a real KVM',
    async (kind, context) => {
      const command = program(context, 'file-calls');
      const native = spawnSync(command, [kind], { encoding: 'utf8' });
      if (native.status === 77) context.skip('this machine has no KVM that makes such a file');
      const { stdout, exitCode } = await execute([command, kind]);
      expect({ stdout, exitCode }).toEqual({ stdout: native.stdout, exitCode: 0 });
    },
  );

  test('file-calls: a guest_memfd is neither read nor written, and has the size that it has', async (context) => {
    const { stdout } = await execute([program(context, 'file-calls'), 'guest_memfd']);
    const answers = new Map(stdout.split('\n').map((line) => line.split(': ') as [string, string]));
    const expected = {
      'read(fd, bytes, sizeof bytes)': 'EINVAL',
      'write(fd, bytes, sizeof bytes)': 'EINVAL',
      'ftruncate(fd, 0)': 'EINVAL',
      'fallocate(fd, 0, 0, page_bytes)': 'EOPNOTSUPP',
      'fallocate(fd, hole, 1, page_bytes)': 'EINVAL',
      'fallocate(fd, hole, 0, page_bytes)': 'ok',
      'page_bytes, both, MAP_SHARED, fd, 0': 'ENODEV',
      'page_bytes, both, MAP_PRIVATE, fd, 0': 'ENODEV',
    };
    for (const [call, answer] of Object.entries(expected)) expect(answers.get(call)).toBe(answer);
  });
});

describe('starts-again: a VMM that starts its guest again whenever it ends is ended', () => {
  test.for(['vm', 'td'])('%s', async (kind, context) => {
    const { stderr, summary } = await execute([program(context, 'starts-again'), kind]);
    expect(summary).toMatchObject({ exit: { signal: 'SIGTERM' }, keySlots: { used: 0 } });
    expect(stderr).toContain('starts its guest again whenever it turns itself off');
  });
});

describe('a way to KVM that is not served', () => {
  test.for(['i386', 'x32'] as const)(
    'the %s ABI is refused, and in the summary',
    async (abi, context) => {
      const executed = await execute([program(context, 'other-abis'), abi]);
      if (executed.summary.exit.how === 'signal') context.skip(`this Linux has no ${abi} ABI`);
      expectEmptyHost(executed);
      const [opens, ioctls] = { i386: [4, 2], x32: [2, 1] }[abi];
      expect(executed.summary.unserved).toEqual([
        { call: 'open', abi, errno: 'ENOSYS', count: opens },
        { call: 'ioctl', abi, errno: 'ENOSYS', count: ioctls },
      ]);
    },
  );

  test("this machine's own /dev/kvm is not asked, and in the summary", async (context) => {
    if (!canOpen('/dev/kvm')) context.skip('this machine has no /dev/kvm that can be opened');
    const command = [program(context, 'native-kvm'), join(scratch, 'native-kvm-link')];
    const executed = await execute(command);
    expectEmptyHost(executed);
    expect(executed.summary.unserved).toEqual([
      { call: 'ioctl', abi: 'x86-64', errno: 'EPERM', count: 2 },
    ]);
  });
});

function canOpen(path: string): boolean {
  try {
    closeSync(openSync(path, 'r'));
    return true;
  } catch {
    return false;
  }
}

test('the MRTD in the summary is that of the pages in their order', async (context) => {
  const { summary } = await execute([program(context, 'td')]);
  expect(summary.vms).toEqual([
    {
      name: 'vm#1',
      type: 'td',
      vcpus: { created: 1, initialized: 1 },
      pages: { added: 32, measured: 32 },
      mrtd: mrtdOfNumberedPages(32),
    },
  ]);
});

test('other-ioctl: KVM ioctls that /dev/kvm does not have are listed', async (context) => {
  const { summary } = await execute([program(context, 'other-ioctl')]);
  expect(summary.unknownIoctls).toEqual([
    { on: 'system', ioctl: '0xae41', errno: 'EINVAL', count: 1 },
    { on: 'system', ioctl: '0xaeff', errno: 'EINVAL', count: 1 },
  ]);
});

/** Of the pages of td.h: each 64-bit word is its own number. */
function mrtdOfNumberedPages(pages: number): string {
  const words = BigUint64Array.from({ length: (pages * pageBytes) / 8 }, (_, at) => BigInt(at));
  const stream = new MrtdStream();
  stream.addAndExtendPages(0n, new Uint8Array(words.buffer));
  return Buffer.from(stream.finalize()).toString('hex');
}
