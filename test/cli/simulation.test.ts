/** `run --fault`, `run --trace`, and hosts from files, as a user has them. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { captureOf } from '../../src/diagnosis/capture/index.ts';
import { readFacts } from '../../src/diagnosis/doctor/index.ts';
import { hostTree } from '../diagnosis/doctor/host-tree.ts';
import { cli } from '../support/cli.ts';

const scratch = mkdtempSync(join(tmpdir(), 'tdctl-simulation-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const run = (...args: string[]) =>
  cli(['run', 'examples/hello.yaml', '--until', 'runnable', ...args]);

describe('a request that the kernel wants repeated', () => {
  test('goes on once the TD is not busy any more', async () => {
    const { exitCode, stdout } = await run(
      '--host',
      'sim',
      '--fault',
      'TDH.MR.FINALIZE=TDX_OPERAND_BUSY|RCX',
    );
    expect(exitCode).toBe(0);
    expect(stdout).toContain('KVM_TDX_FINALIZE_VM (EBUSY), KVM_TDX_FINALIZE_VM');
  });

  test.for([
    ['TDH.MR.FINALIZE#1+=TDX_OPERAND_BUSY|RCX', '0.18 s'],
    ['KVM_TDX_INIT_MEM_REGION#1+=EAGAIN', '30 s'],
  ])('and never goes on is not told to be repeated: %s', async ([fault = '', time]) => {
    const { exitCode, stderr } = await run('--host', 'sim', '--fault', fault);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`it was repeated for ${time} and never went on`);
    expect(stderr).not.toMatch(/QEMU|repeat it/);
  });
});

describe('run --trace', () => {
  test('writes the golden trace of examples/hello.yaml, the same every time', async () => {
    const path = join(scratch, 'hello.trace');
    expect((await run('--host', 'sim', '--trace', path)).exitCode).toBe(0);
    const first = readFileSync(path, 'utf8');
    await expect(first).toMatchFileSnapshot('../golden/trace-hello.txt');
    expect((await run('--host', 'sim', '--trace', path)).exitCode).toBe(0);
    expect(readFileSync(path, 'utf8')).toBe(first);
  });

  test('writes the same calls as JSON lines where the name ends in .jsonl', async () => {
    const path = join(scratch, 'hello.jsonl');
    await run('--host', 'sim', '--trace', path);
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    const kinds = lines.map((line) => (JSON.parse(line) as { kind: string }).kind);
    const golden = readFileSync('test/golden/trace-hello.txt', 'utf8')
      .trimEnd()
      .split('\n')
      .filter((line) => !line.startsWith('      cpuid '));
    expect(kinds.map((kind) => kind === 'seamcall')).toEqual(
      golden.map((line) => line.startsWith('  ')),
    );
  });

  test('is what the linter reads, and finds right', async () => {
    for (const name of ['lint.trace', 'lint.jsonl']) {
      const path = join(scratch, name);
      await run('--host', 'sim', '--trace', path);
      const { exitCode, stdout } = await cli(['trace', 'lint', path]);
      expect([exitCode, stdout]).toEqual([0, expect.stringContaining('0 errors, 0 warnings')]);
    }
  });

  test('is refused before anything is done where the host may be real', async () => {
    const path = join(scratch, 'kvm.trace');
    const { exitCode, stderr } = await run('--host', 'kvm', '--trace', path);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('--trace is for simulated hosts');
    expect(existsSync(path)).toBe(false);
  });

  test('says so when the file cannot be written', async () => {
    const { exitCode, stderr } = await run('--host', 'sim', '--trace', join(scratch, 'no/such'));
    expect(exitCode).toBe(1);
    expect(stderr).toContain('TDCTL_E_NOT_WRITABLE');
  });
});

describe('run --fault', () => {
  test('on a capability says which one was refused, under the rules of that kernel', async () => {
    const args = ['--kernel', 'proposal-1', '--fault', 'KVM_ENABLE_CAP#2=EINVAL'];
    const { stderr, stdout } = await run('--host', 'sim', ...args, '-o', 'json');
    const events = stdout.trimEnd().split('\n');
    const ended = events.map((line) => JSON.parse(line)).find(({ event }) => event === 'td.ended');
    expect(ended.error).toMatchObject({
      step: 'cappingVcpus',
      request: 'KVM_ENABLE_CAP',
      capability: 'KVM_CAP_MAX_VCPUS',
      errno: 'EINVAL',
      message: expect.stringContaining('the number is above KVM_MAX_VCPUS, or the VM has a vCPU'),
    });
    expect(stderr).toContain(ended.error.message);
    expect(stderr).not.toContain('name the capability');
  });

  test('makes the call fail, and everything is given back', async () => {
    const fault = 'TDH.MNG.KEY.CONFIG#2=TDX_KEY_GENERATION_FAILED';
    const { exitCode, stdout } = await run('--host', 'sim', '--fault', fault);
    expect(exitCode).toBe(1);
    expect(stdout).toContain('initializingTd');
    expect(stdout).toContain('KVM_TDX_INIT_VM (EIO)');
    expect(stdout).toContain('0 of 63 in use, as before');
  });

  test('may be given several times', async () => {
    const { exitCode, stdout, stderr } = await run(
      '--host',
      'sim',
      '--fault',
      'KVM_TDX_INIT_VM=foreign-tds+999',
      '--fault',
      'KVM_CREATE_VCPU=ENOMEM',
    );
    expect(exitCode).toBe(7);
    expect(stdout).toContain('ENOSPC');
    expect(stderr).toContain('note: the run never came to --fault KVM_CREATE_VCPU=ENOMEM');
    expect(stderr).not.toContain('foreign-tds');
  });

  test('that never comes is a finding', async () => {
    const { exitCode, stderr } = await run('--host', 'sim', '--fault', 'KVM_CREATE_VCPU#99=ENOMEM');
    expect(exitCode).toBe(6);
    expect(stderr).toContain('the run never came to --fault KVM_CREATE_VCPU#99=ENOMEM');
    expect(stderr).toContain('[TDCTL_E_EXPECTATION]');
  });

  test('that leaks a key slot is not passed over', async () => {
    const fault = 'TDH.MNG.VPFLUSHDONE#1+=TDX_FLUSHVP_NOT_DONE';
    const { exitCode, stdout } = await run('--host', 'sim', '--fault', fault);
    expect(exitCode).toBe(1);
    expect(stdout).toContain('1 of 63');
  });

  test('with a mistake names the word and the one that was meant', async () => {
    const { exitCode, stderr } = await run('--host', 'sim', '--fault', 'KVM_CREATE_VCPU=ENOMEN');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('did you mean ENOMEM?');
  });

  test.each(['kvm', 'auto'])('is refused on --host %s', async (host) => {
    const { exitCode, stderr } = await run('--host', host, '--fault', 'KVM_CREATE_VM=ENOMEM');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('add `--host sim` or `--host soft`');
  });
});

describe('--host sim:', () => {
  const host = (name: string, ...args: string[]) => cli(['host', '--host', `sim:${name}`, ...args]);

  test('a file is the host it describes', async () => {
    const { exitCode, stdout } = await host('examples/hosts/edge-box.yaml', '-o', 'json');
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      host: { name: 'sim:examples/hosts/edge-box.yaml', simulated: true },
      limits: { effective: 32 },
      keySlots: { total: 7, used: 5, free: 2 },
    });
  });

  test('a file with mistakes shows each of them with its place', async () => {
    const path = join(scratch, 'bad.yaml');
    writeFileSync(path, 'apiVersion: tdctl.io/v1alpha1\nkind: SimulatedHost\nspec: { frm: x }\n');
    const { exitCode, stderr } = await host(path);
    expect(exitCode).toBe(5);
    expect(stderr).toContain(`${path}:3:9: spec.frm: is an unknown key; did you mean from?`);
  });

  test.each([
    ['host', ['host']],
    ['run', ['run', 'examples/hello.yaml']],
  ])("mismatch: %s shows the kernel's own sentence and exits 8", async (_, args) => {
    const { exitCode, stderr } = await cli([...args, '--host', 'sim:mismatch']);
    expect(exitCode).toBe(8);
    expect(stderr).toContain(
      'Disable TDX: MAX_VCPU_PER_TD (576) smaller than number of logical CPUs (688)',
    );
  });

  test('a host without a module is said to offer no TDs', async () => {
    const path = join(scratch, 'no-module.yaml');
    const spec = 'metadata: { name: a }\nspec: { module: { loaded: false } }\n';
    writeFileSync(path, `apiVersion: tdctl.io/v1alpha1\nkind: SimulatedHost\n${spec}`);
    const { exitCode, stderr } = await host(path);
    expect(exitCode).toBe(8);
    expect(stderr).toContain('the TDX module is not loaded');
  });

  test('a captured host is the host it was taken from', async () => {
    const tree = hostTree('healthy');
    const path = join(scratch, 'node1.json');
    const capture = captureOf(await readFacts(tree), { tdctl: '0.0.0-test' });
    writeFileSync(path, JSON.stringify(capture));
    rmSync(tree, { recursive: true });
    const { exitCode, stdout } = await host(path, '-o', 'json');
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      host: { name: `sim:${path}`, simulated: true },
      limits: { effective: 128 },
      keySlots: { total: 63 },
    });
  });

  test('an unknown profile lists all of them and the nearest', async () => {
    const { exitCode, stderr } = await host('gnr-20');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('did you mean gnr-2.0?');
    expect(stderr).toContain(
      'spr-1.5, emr-1.5, gnr-2.0, one-slot, small-client, mismatch, this-host',
    );
  });

  test('this-host has the CPUs of this machine', async (ctx) => {
    const { exitCode, stdout, stderr } = await host('this-host', '-o', 'json');
    if (exitCode === 8) {
      expect(stderr).toMatch(/native addon|\/dev\/kvm/);
      ctx.skip('/dev/kvm or the native addon is missing, and the error says so');
    }
    expect(JSON.parse(stdout)).toMatchObject({ host: { name: 'sim:this-host', simulated: true } });
  });
});
