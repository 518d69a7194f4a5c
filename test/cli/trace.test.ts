/** `tdctl trace lint` as a user meets it: what it prints, and its exit codes. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { statusWord } from '../../src/abi/tdx/status.ts';
import { traceText } from '../../src/trace/index.ts';
import { memRegion, ramGpa } from '../simulator/structs.ts';
import { cli } from '../support/cli.ts';
import { recorded } from '../trace/lint/judged.ts';

const directory = mkdtempSync(join(tmpdir(), 'tdctl-trace-'));
afterAll(() => rmSync(directory, { recursive: true }));

const lint = (...args: string[]) => cli(['trace', 'lint', ...args]);

function fileOf(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

const qemu = 'test/fixtures/traces/qemu-11.1-tdx.trace';

describe('the start of an unmodified QEMU', () => {
  test('is judged as a person reads it', async () => {
    const { stdout, exitCode } = await lint(qemu);
    expect(exitCode).toBe(6);
    await expect(stdout).toMatchFileSnapshot('../golden/trace/qemu.txt');
  });

  test('is judged as data', async () => {
    const { stdout, exitCode } = await lint(qemu, '-o', 'json');
    expect(exitCode).toBe(6);
    await expect(stdout).toMatchFileSnapshot('../golden/trace/qemu.json');
    const { stdout: yaml } = await lint(qemu, '-o', 'yaml');
    expect(parseYaml(yaml)).toEqual(JSON.parse(stdout));
  });

  test('is right but for what the host of the trace had and this one has not', async () => {
    const { stdout } = await lint(qemu, '-o', 'json');
    const { findings } = JSON.parse(stdout);
    const wrong = findings.filter(({ severity }: { severity: string }) => severity !== 'note');
    expect(wrong).toMatchObject([{ call: 'vm#1.KVM_TDX_INIT_VM', line: 109 }]);
  });

  test('would be refused by a kernel that wants something else', async () => {
    const { stdout } = await lint(qemu, '--kernel', 'series-v9', '-o', 'json');
    expect(JSON.parse(stdout)).toMatchObject({ kernel: { id: 'series-v9' } });
    expect(stdout).toContain('series-v9 on sim:spr-1.5 would refuse it');
  });
});

test('a VMM with many faults: every kind of finding, as a person reads it', async () => {
  const records = await recorded(async (driver) => {
    const vm = driver.createTd();
    driver.createVcpu(vm, 0);
    driver.failLeaf('TDH.MNG.CREATE', (nth) =>
      nth === 0 ? statusWord('TDX_RND_NO_ENTROPY') : undefined,
    );
    driver.initVm(vm);
    driver.initVm(vm);
    driver.initVm(vm);
    driver.setTscKhz(vm, 1_000_000);
    const vcpu = driver.createVcpu(vm, 0) as number;
    driver.initVcpu(vcpu);
    driver.setCpuid2(vcpu);
    driver.initVcpu(vcpu);
    driver.createVcpu(vm, 1);
    const guestMemfd = driver.createGuestMemfd(vm) as number;
    driver.setSlot(vm, guestMemfd);
    driver.setPrivate(vm, ramGpa, 16);
    driver.signalBeforePage = 1;
    driver.initMemRegion(vcpu, memRegion({ nrPages: 4n }));
    driver.finalizeVm(vm);
    driver.release(vm);
  });
  const path = fileOf('faults.trace', records.map(traceText).join('\n'));
  const { stdout, exitCode } = await lint(path);
  expect(exitCode).toBe(6);
  await expect(stdout.replaceAll(path, 'faults.trace')).toMatchFileSnapshot(
    '../golden/trace/faults.txt',
  );
});

test('what strace does not say is told with the finding', async () => {
  const path = fileOf(
    'vmm.strace',
    [
      'openat(AT_FDCWD, "/dev/kvm", O_RDWR|O_CLOEXEC) = 3',
      'ioctl(3, KVM_CREATE_VM, 0x5) = 4',
      'ioctl(4, KVM_MEMORY_ENCRYPT_OP, 0x7ffe41d72570) = 0',
      'ioctl(4, KVM_MEMORY_ENCRYPT_OP, 0x7ffe41d72570) = -1 EAGAIN (Resource temporarily unavailable)',
      'close(4) = 0',
      '+++ exited with 1 +++',
    ].join('\n'),
  );
  const { stdout, exitCode } = await lint(path);
  expect(exitCode).toBe(6);
  await expect(stdout.replaceAll(path, 'vmm.strace')).toMatchFileSnapshot(
    '../golden/trace/strace.txt',
  );
});

describe('exit code', () => {
  test('0 where there are only notes', async () => {
    const records = await recorded(() => undefined);
    const { exitCode, stdout } = await lint(
      fileOf('idle.trace', records.map(traceText).join('\n')),
    );
    expect([exitCode, stdout]).toEqual([
      0,
      '0 calls of KVM, 0 TDs, 0 calls asked again of upstream-7.3 on sim:spr-1.5\n' +
        '0 errors, 0 warnings, 0 notes\n',
    ]);
  });

  test('5 where it is JSON of another kind', async () => {
    const path = fileOf('other.json', '{"kind":"X","version":1}\n');
    const { exitCode, stderr } = await lint(path);
    expect(exitCode).toBe(5);
    expect(stderr).toMatch(/no call of KVM/);
  });

  test.each([
    ['3 where there is no such file', 'no-such.trace', 3, /did you mean|no such file/],
    ['5 where the file is no trace', 'package.json', 5, /no call of KVM/],
    ['1 where it is a directory', 'src', 1, /directory/],
  ])('%s', async (_, file, code, words) => {
    const { exitCode, stderr } = await lint(file);
    expect(exitCode).toBe(code);
    expect(stderr).toMatch(words);
  });

  test.each([
    ['# tdctl trace 3: host=sim', 'it is a trace of version 3, and this tdctl reads 1 and 2'],
    ['1 KVM_GET_API_VERSION(arg=0x0) = 12 <200ns>', 'a run as tdctl wrote it before version 2'],
    ['{"kind":"ioctl","timeNs":200}', 'a run as tdctl wrote it before version 2'],
  ])('5 where another tdctl wrote it: %s', async (text, words) => {
    const { exitCode, stderr } = await lint(fileOf('other.trace', `${text}\n`));
    expect(exitCode).toBe(5);
    expect(stderr).toContain(words);
    expect(stderr).toContain('record it again with this tdctl');
  });

  test('5 where the file is empty or no text', async () => {
    await expect(lint(fileOf('empty.trace', ''))).resolves.toMatchObject({ exitCode: 5 });
    const binary = fileOf('binary.trace', '');
    writeFileSync(binary, new Uint8Array([0xff, 0xfe, 0x00, 0x80]));
    await expect(lint(binary)).resolves.toMatchObject({ exitCode: 5 });
  });

  test.each([
    [['--host', 'kvm'], /judged on a simulated host/],
    [['--host', 'sim:spr-9'], /spr-1\.5/],
    [['--kernel', 'upstream-7'], /did you mean upstream-7\.3/],
  ])('2 for %s', async (options, words) => {
    const { exitCode, stderr } = await lint(qemu, ...options);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(words);
  });
});

test('nothing of a trace reaches the terminal as a control character', async () => {
  const text = readFileSync(qemu, 'utf8').replace('vm#1.KVM_SET_TSC_KHZ(', 'vm#1.KVM_X\u001b[31m(');
  const { stdout } = await lint(fileOf('escape.trace', text));
  expect(stdout).not.toContain('\u001b');
});
