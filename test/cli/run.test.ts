import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { bookworm, ovmf, skipWithout } from '../firmware/debian-ovmf.ts';
import { cli } from '../support/cli.ts';
import { projectRoot, startTdctl, tdctl } from '../support/tdctl.ts';

const scratch = mkdtempSync(join(tmpdir(), 'tdctl-run-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const hello = 'examples/hello.yaml';
const helloFirmware = join(projectRoot, 'examples/firmware/hello.fd');

let files = 0;
function specFile(fields: Record<string, unknown> = {}): string {
  files += 1;
  const path = join(scratch, `td-${files}.yaml`);
  const spec = { vcpus: 2, memory: '128MiB', firmware: helloFirmware, ...fields };
  writeFileSync(
    path,
    JSON.stringify({
      apiVersion: 'tdctl.io/v1alpha1',
      kind: 'TrustDomain',
      metadata: { name: 'td' },
      spec,
    }),
  );
  return path;
}

interface Event {
  readonly event: string;
  readonly [field: string]: unknown;
}

function events(stdout: string): Event[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Event);
}

/** Times and paths differ from run to run; everything else is the contract. */
function withoutTimes(text: string): string {
  return text
    .replaceAll(/ +\d+(\.\d+)? (µs|ms|s)(?= )/g, ' <time>')
    .replaceAll(/"(elapsedMs|durationMs)":[\d.e-]+/g, '"$1":0')
    .replaceAll(projectRoot, '<project>');
}

describe('tdctl run on the simulated host', () => {
  test('takes a TD to runnable and back to nothing, as text', async () => {
    const { stdout, stderr, exitCode } = await cli([
      'run',
      hello,
      '--host',
      'sim',
      '--until',
      'runnable',
    ]);
    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
    await expect(withoutTimes(stdout)).toMatchFileSnapshot('../golden/run-hello.txt');
  });

  test('prints one event a line as JSON', async () => {
    const { stdout, exitCode } = await cli([
      'run',
      hello,
      '--host',
      'sim',
      '--until',
      'runnable',
      '-o',
      'json',
    ]);
    expect(exitCode).toBe(0);
    await expect(withoutTimes(stdout)).toMatchFileSnapshot('../golden/run-hello.jsonl');
  });

  test("with Debian's OVMF.fd ends runnable with its MRTD, and destroyed with all key slots back", async (context) => {
    skipWithout(context, ovmf.whole);
    const spec = specFile({ firmware: ovmf.whole, memory: '512MiB', vcpus: 4 });
    const { stdout, exitCode } = await cli([
      'run',
      spec,
      '--host',
      'sim',
      '--until',
      'runnable',
      '-o',
      'json',
    ]);
    expect(exitCode).toBe(0);
    const all = events(stdout);
    expect(all.find(({ event }) => event === 'td.finalized')?.mrtd).toBe(bookworm.whole.mrtd);
    expect(all.some(({ state }) => state === 'runnable')).toBe(true);
    expect(all.at(-1)).toMatchObject({
      event: 'run.ended',
      outcome: 'destroyed',
      keySlotsBefore: { used: 0 },
      keySlotsAfter: { used: 0 },
    });
  });

  test('writes a log whose every line names TD, operation, machine and state', async () => {
    const log = join(scratch, 'run.log');
    await cli([
      'run',
      hello,
      '--host',
      'sim',
      '--until',
      'runnable',
      '--log-level',
      'trace',
      '--log-file',
      log,
    ]);
    const lines = readFileSync(log, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.length).toBeGreaterThan(30);
    for (const line of lines) {
      expect(line).toMatchObject({
        td: 'hello',
        op: expect.any(String),
        machine: 'td-lifecycle',
        state: expect.any(String),
      });
    }
    const requests = lines
      .filter(({ op }) => op === 'request.answered')
      .map(({ request }) => request);
    expect(requests).toContain('KVM_TDX_INIT_VM');
  });

  test('without --until holds the TD until it is told to stop, and then ends with 0', async () => {
    const run = startTdctl(['run', hello, '--host', 'sim']);
    await run.waitForStdout('● runnable');
    run.child.kill('SIGTERM');
    const { exitCode, stdout } = await run.ended;
    expect(exitCode).toBe(0);
    expect(stdout).toContain('destroyed: everything was given back; key slots: 0 of');
  });

  describe('without --host, where there is no TDX', () => {
    const hasTdx = async () => (await cli(['host', '--host', 'kvm'])).exitCode === 0;

    test('nothing is simulated: it ends with 8, what is missing, and the lines to type', async (context) => {
      if (await hasTdx()) context.skip('this machine has TDX');
      const { stdout, stderr, exitCode } = await cli(['run', hello, '--until', 'runnable']);
      const asked = await cli(['run', hello, '--host', 'kvm']);
      expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: asked.exitCode });
      expect(exitCode).toBe(8);
      expect(stderr.split('\n')[0]).toBe(asked.stderr.split('\n')[0]);
      for (const host of ['sim', 'soft']) {
        expect(stderr).toContain(`\n  tdctl run --host ${host} ${hello} --until runnable\n`);
      }
    });

    test('the line to type is one that runs', async (context) => {
      if (await hasTdx()) context.skip('this machine has TDX');
      const { stderr } = await cli(['run', '--until=runnable', '--', hello]);
      const [, line = ''] = /\n {2}tdctl (.*--host sim .*)\n/.exec(stderr) ?? [];
      const { stdout, exitCode } = await cli(line.split(' '));
      expect(exitCode).toBe(0);
      expect(stdout).toMatch(/^TD hello on sim:spr-1\.5, a simulated host/);
    });

    test('no plan is saved of a host that was not asked for', async (context) => {
      if (await hasTdx()) context.skip('this machine has TDX');
      const { stdout, stderr, exitCode } = await cli(['plan', hello, '--save', 'no-such/td.plan']);
      expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 8 });
      expect(stderr).toContain(`  tdctl plan --host sim ${hello} --save no-such/td.plan\n`);
    });
  });

  test('--host kvm without TDX exits 8 and says what is missing', async (context) => {
    const { stderr, stdout, exitCode } = await tdctl(['run', hello, '--host', 'kvm']);
    if (exitCode === 0) context.skip('this machine has TDX');
    expect(exitCode).toBe(8);
    expect(stdout).toBe('');
    expect(stderr).toContain('[TDCTL_E_HOST_UNSUPPORTED]');
    expect(stderr).toContain('hint: ');
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});

describe('tdctl run told to stop at any moment', () => {
  // Each state in turn: the signal comes right after the line that says it was entered.
  const states = [
    'run.planned',
    'provisioning.creatingVm',
    'provisioning.initializingTd',
    'provisioning.creatingVcpus',
    'provisioning.initializingVcpus',
    'provisioning.addingMemory',
    'provisioning.finalizing',
    'runnable',
  ];
  test.each(states)('SIGTERM at %s leaves no key slot in use and no file', async (state) => {
    const spec = specFile({ vcpus: 64, memory: '1GiB' });
    const before = readdirSync(scratch).sort();
    // Without --until the TD is held, so the signal never meets a process that is ending by itself.
    const run = startTdctl(['run', spec, '--host', 'sim', '-o', 'json']);
    await run.waitForStdout(`"${state}"`);
    run.child.kill('SIGTERM');
    const { exitCode, stdout, stderr } = await run.ended;
    // The signal may come after the TD was runnable; then nothing was interrupted.
    expect([0, 130]).toContain(exitCode);
    expect(stderr === '').toBe(exitCode === 0);
    expect(stderr).toMatch(/^$|TDCTL_E_INTERRUPTED.*everything was given back/);
    expect(events(stdout).at(-1)).toMatchObject({
      event: 'run.ended',
      outcome: 'destroyed',
      keySlotsBefore: { used: 0 },
      keySlotsAfter: { used: 0 },
    });
    expect(readdirSync(scratch).sort()).toEqual(before);
  });

  test('a reader that goes away is a stop, not a crash', async () => {
    const run = startTdctl(['run', hello, '--host', 'sim', '-o', 'json']);
    await run.waitForStdout('run.planned');
    run.child.stdout?.destroy();
    const { stderr, signal } = await run.ended;
    expect(signal).toBeNull();
    expect(stderr).toMatch(/^$|TDCTL_E_INTERRUPTED.*EPIPE/);
  });
});

describe('tdctl run refuses', () => {
  const cases: [title: string, args: () => string[], exitCode: number, text: RegExp][] = [
    ['a missing spec', () => ['nowhere.yaml'], 3, /TDCTL_E_NOT_FOUND/],
    ['a directory as spec', () => ['examples'], 1, /directory/],
    ['an unknown key, with the nearest known one', () => [specFile({ vcpu: 3 })], 5, /vcpus/],
    ['a wrong unit', () => [specFile({ memory: '512MB' })], 5, /MiB/],
    ['no vCPU', () => [specFile({ vcpus: 0 })], 5, /spec\.vcpus/],
    [
      'more vCPUs than the limit, naming what binds',
      () => [specFile({ vcpus: 225 })],
      7,
      /CPUs present/,
    ],
    [
      'an identity of wrong length',
      () => [specFile({ identity: { mrOwner: 'abcd' } })],
      5,
      /mrOwner/,
    ],
    ['missing firmware', () => [specFile({ firmware: 'no.fd' })], 3, /no\.fd/],
    [
      'an MRTD that is not the expected one',
      () => [specFile({ measurement: { expect: 'ab'.repeat(48) } })],
      6,
      /expected: (ab){48}/,
    ],
    ['neither a spec nor a plan', () => ['--host', 'sim'], 2, /TDCTL_E_USAGE/],
    ['an unknown host', () => [hello, '--host', 'moon'], 2, /moon/],
    ['an unknown profile', () => [hello, '--host', 'sim:moon'], 2, /spr-1\.5/],
    [
      'unknown kernel rules',
      () => [hello, '--host', 'sim', '--kernel', 'moon'],
      2,
      /upstream-7\.3/,
    ],
    [
      'a log that cannot be written',
      () => [hello, '--log-file', '/nowhere/log'],
      1,
      /TDCTL_E_NOT_WRITABLE/,
    ],
  ];
  test.each(cases)('%s', async (_title, args, expectedExit, text) => {
    const rest = args();
    const host = rest.includes('--host') ? [] : ['--host', 'sim'];
    const { exitCode, stderr, stdout } = await cli([
      'run',
      ...rest,
      ...host,
      '--until',
      'runnable',
    ]);
    expect(exitCode).toBe(expectedExit);
    expect(stderr).toMatch(text);
    expect(stderr).toMatch(/^hint: /m);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(stdout).toBe('');
  });

  test('an attribute that the host lacks, before KVM_TDX_INIT_VM, with the line of the spec', async () => {
    const spec = specFile({ attributes: ['tpa'] });
    const { exitCode, stderr, stdout } = await cli(['run', spec, '--host', 'sim']);
    expect(exitCode).toBe(5);
    expect(stderr).toMatch(/td-\d+\.yaml:1:\d+: spec\.attributes: `tpa` is not supported/);
    expect(stdout).not.toContain('KVM_TDX_INIT_VM');
    expect(stdout).toContain('failed: everything was given back');
  });

  test('in JSON as one line on stderr with the same facts', async () => {
    const { stderr, exitCode } = await cli([
      'run',
      specFile({ vcpus: 225 }),
      '--host',
      'sim',
      '-o',
      'json',
    ]);
    expect(exitCode).toBe(7);
    expect(JSON.parse(stderr).error).toMatchObject({
      code: 'TDCTL_E_VCPU_LIMIT',
      exitCode: 7,
      place: expect.stringMatching(/td-\d+\.yaml:1:\d+$/),
    });
  });
});
