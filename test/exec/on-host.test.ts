/**
 * Programs that know nothing of tdctl on a shared host, beside others and beside our own. `npm run sweep` has the long form
 * of the crowd.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, type TestContext, test } from 'vitest';
import { builtMain, projectRoot } from '../support/built.ts';
import { cli } from '../support/cli.ts';
import { endAll, hasEnded, until } from '../support/processes.ts';
import { startTdctl, tdctl } from '../support/tdctl.ts';
import { program, requireSupervision, userOptions } from './programs.ts';
import { noQemu, type Qemu, qemu, tdCommand } from './qemu/qemu.ts';
import { sharedHost } from './shared-host.ts';

const hello = `${projectRoot}/examples/hello.yaml`;

function requireQemu(context: TestContext): Qemu {
  requireSupervision(context);
  if (qemu === undefined) context.skip(noQemu);
  return qemu as Qemu;
}

describe('two stock QEMUs, a C program and two keepers on two key slots', () => {
  test('are refused while others have them, and get each that comes back, however it does', async (context) => {
    const machine = requireQemu(context);
    const holds = program(context, 'holds-slot');
    const lab = await sharedHost({ slots: 2 });
    const create = (name: string) =>
      cli(['create', hello, '--host', `on:${lab.name}`, '--name', name]);

    const first = lab.exec(tdCommand(machine), ['-q', '--run', lab.script]);
    await lab.until(({ keySlots }) => keySlots.used === 1);
    expect(await create('one')).toMatchObject({ exitCode: 0 });
    const { programs, keySlots } = await lab.show();
    expect(keySlots).toMatchObject({ total: 2, used: 2 });
    expect(programs.map(({ command }) => command?.[0] ?? null)).toEqual([machine.program, null]);

    // All three kinds are told the same of a full host.
    const late = await lab.exec([holds], ['-q']).ended;
    expect(late).toMatchObject({ exitCode: 3, stdout: 'refused: No space left on device\n' });
    const second = await lab.exec(tdCommand(machine), ['-q']).ended;
    expect(second).toMatchObject({ exitCode: 1 });
    expect(second.stderr).toContain('No space left on device');
    const refused = await create('two');
    expect(refused).toMatchObject({ exitCode: 7 });
    expect(refused.stderr).toContain('key slot');

    // A VMM that is killed gives its slot back, as one that ends does.
    endAll((await lab.show()).programs.flatMap(({ command, pid }) => (command ? [pid] : [])));
    expect(await first.ended).toMatchObject({ exitCode: 137 });
    await lab.until((shown) => shown.keySlots.used === 1);
    const holder = lab.exec([holds], ['-q'], { stdin: 'open' });
    await holder.waitForStdout('holds');
    expect(await cli(['stop', 'one', '--wait'])).toMatchObject({ exitCode: 0 });
    const again = lab.exec(tdCommand(machine), ['-q', '--run', lab.script]);
    await lab.until((shown) => shown.keySlots.used === 2);
    holder.child.stdin.end();
    expect(await holder.ended).toMatchObject({ exitCode: 0 });
    await lab.until((shown) => shown.keySlots.used === 1);
    expect(await create('three')).toMatchObject({ exitCode: 0 });
    again.child.kill('SIGTERM');
    expect(await again.ended).toMatchObject({ exitCode: 0 });
    expect(await cli(['stop', 'three', '--wait'])).toMatchObject({ exitCode: 0 });
    expect(await lab.until(({ programs: left }) => left.length === 0)).toMatchObject({
      keySlots: { used: 0 },
    });
  });
});

describe('a command on a shared host', () => {
  test('has what its caller has: streams, directory, environment, mask, and ends as it ends', async (context) => {
    requireSupervision(context);
    const lab = await sharedHost();
    const script = 'umask 027; exec "$0" "$@"';
    const inner = 'cat; umask; pwd; echo $OF_THE_CALLER; ps -o sid= -p $$; echo told >&2; exit 7';
    const caller = ['sh', '-c', script, process.execPath, builtMain()];
    const exec = ['exec', '--on', lab.name, '-q', '--', 'sh', '-c', inner];
    const told = spawnSync(caller[0] ?? '', [...caller.slice(1), ...exec], {
      cwd: lab.directory,
      input: 'typed\n',
      encoding: 'utf8',
      env: { ...process.env, OF_THE_CALLER: 'yes' },
    });
    expect(told).toMatchObject({ status: 7, stderr: 'told\n' });
    const [typed, mask, directory, variable] = told.stdout.split('\n');
    expect({ typed, mask, directory, variable }).toEqual({
      ...{ typed: 'typed', mask: '0027', directory: lab.directory, variable: 'yes' },
    });
    const killed = await lab.exec(['sh', '-c', 'kill -SEGV $$'], ['-q']).ended;
    expect(killed).toMatchObject({ exitCode: 139, stderr: '' });
  });

  test('writes its summary and its trace as with a machine of its own', async (context) => {
    const td = program(context, 'td');
    const lab = await sharedHost();
    const own = join(lab.directory, 'own');
    const shared = join(lab.directory, 'shared');
    const written = (path: string) => ['--summary', `${path}.json`, '--trace', `${path}.trace`];
    const host = ['--host', `sim:${lab.directory}/host.yaml`];
    expect(await cli(['exec', ...host, ...written(own), '--', td])).toMatchObject({ exitCode: 0 });
    expect(await lab.exec([td], written(shared)).ended).toMatchObject({ exitCode: 0, stderr: '' });
    const read = (path: string) => readFileSync(path, 'utf8').replaceAll(/0x[0-9a-f]{6,}/g, '0x…');
    expect(read(`${shared}.json`)).toBe(read(`${own}.json`));
    expect(read(`${shared}.trace`)).toBe(read(`${own}.trace`));
  });

  test('is our own too, with --host kvm: it finds the slots that others have', async (context) => {
    const holds = program(context, 'holds-slot');
    const lab = await sharedHost({ slots: 1 });
    const holder = lab.exec([holds], ['-q'], { stdin: 'open' });
    await holder.waitForStdout('holds');
    const run = [process.execPath, builtMain(), 'run', hello, '--host', 'kvm'];
    expect(await lab.exec(run, ['-q']).ended).toMatchObject({ exitCode: 7 });
    holder.child.stdin.end();
    await holder.ended;
    const { exitCode, stdout } = await lab.exec([...run, '--until', 'runnable'], ['-q']).ended;
    expect({ exitCode, stdout }).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('destroyed: everything was given back'),
    });
  });

  test('meets the faults of the host, and is seen by its trace, in every call', async (context) => {
    const td = program(context, 'td');
    const lab = await sharedHost();
    const tracing = startTdctl(['host', 'trace', lab.name]);
    const runs = () => lab.exec([td], ['-q']).ended;
    // It has joined once it tells something.
    while (tracing.output.stdout === '') expect(await runs()).toMatchObject({ exitCode: 0 });
    const before = tracing.output.stdout.length;
    await cli(['host', 'fault', lab.name, 'KVM_TDX_INIT_VM#1=ENOSPC']);
    const refused = await lab.exec([td]).ended;
    expect(refused.exitCode).not.toBe(0);
    expect(refused.stderr).toContain('KVM_TDX_INIT_VM: ENOSPC');
    expect(await runs()).toMatchObject({ exitCode: 0 });
    tracing.child.kill('SIGINT');
    const seen = (await tracing.ended).stdout.slice(before);
    expect(seen).toMatch(/KVM_TDX_INIT_VM\(.*\) = .*ENOSPC/);
    expect(seen).toMatch(/KVM_TDX_FINALIZE_VM.* = 0/);
    // What is answered without the machine where nobody looks.
    expect(seen).toContain('KVM_CHECK_EXTENSION');
  });

  test('finds a TDX host where it looks for one, or by a variable, as it is at that moment', async (context) => {
    const holds = program(context, 'holds-slot');
    const lab = await sharedHost();
    const holder = lab.exec([holds], ['-q'], { stdin: 'open' });
    await holder.waitForStdout('holds');
    const files = ['/sys/fs/cgroup/misc.current', '/sys/module/kvm_intel/parameters/tdx'];
    const cat = files.map((file) => `cat "$TDCTL_HOST_FACTS${file}"`).join('; ');
    const byVariable = await lab.exec(['sh', '-c', cat], ['-q']).ended;
    expect(byVariable).toMatchObject({ exitCode: 0, stdout: 'tdx 1\nY\n' });
    if (process.getuid?.() === 0) {
      const inPlace = await lab.exec(['cat', ...files], ['-q']).ended;
      expect(inPlace).toMatchObject({ exitCode: 0, stdout: 'tdx 1\nY\n' });
    }
    holder.child.stdin.end();
    await holder.ended;
    const after = await lab.exec(['sh', '-c', cat], ['-q']).ended;
    expect(after.stdout).toBe('tdx 0\nY\n');
    const doctor = await cli(['doctor', '--host', `on:${lab.name}`, '-o', 'json']);
    expect(doctor).toMatchObject({ exitCode: 0, stderr: '' });
    expect(JSON.parse(doctor.stdout)).toMatchObject({
      host: { name: `on:${lab.name}`, simulated: true },
      conclusion: 'ready',
      counts: { fail: 0 },
    });
  });
});

describe('the end of one of them', () => {
  test('host stop refuses while a command is on it; with --now it ends, and its caller says why', async (context) => {
    requireSupervision(context);
    const lab = await sharedHost();
    const running = lab.exec(['sh', '-c', 'echo ready; exec sleep 1000']);
    await running.waitForStdout('ready');
    const [only] = (await lab.show()).programs;
    expect(await cli(['host', 'stop', lab.name])).toMatchObject({ exitCode: 4 });
    expect(await cli(['host', 'stop', lab.name, '--now'])).toMatchObject({ exitCode: 0 });
    const { exitCode, stderr } = await running.ended;
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/it was stopped by process \d+ .*TDCTL_E_HOST_GONE/s),
    });
    expect(hasEnded(only?.pid ?? 0)).toBe(true);
  });

  test('a host that is killed takes its commands and their daemons along', async (context) => {
    const holds = program(context, 'holds-slot');
    const lab = await sharedHost();
    const daemon = `setsid sh -c 'echo $$; exec sleep 1000' & ${holds}`;
    const running = lab.exec(['sh', '-c', daemon], [], { stdin: 'open' });
    await running.waitForStdout('holds');
    endAll([(await lab.show()).server.pid]);
    const { exitCode, stderr, stdout } = await running.ended;
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('TDCTL_E_HOST_GONE'),
    });
    expect(hasEnded(Number(/^\d+$/m.exec(stdout)?.[0]))).toBe(true);
    expect(await lab.exec(['true']).ended).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining('was killed'),
    });
  });

  test('a caller that is killed takes its command along, with daemons and slots', async (context) => {
    const holds = program(context, 'holds-slot');
    const lab = await sharedHost();
    const daemon = `setsid sh -c 'echo $$; exec sleep 1000' & ${holds}`;
    const running = lab.exec(['sh', '-c', daemon], [], { stdin: 'open' });
    await running.waitForStdout('holds');
    const pid = Number(/^\d+$/m.exec(running.output.stdout)?.[0]);
    running.child.kill('SIGKILL');
    expect(await lab.until(({ programs }) => programs.length === 0)).toMatchObject({
      keySlots: { used: 0 },
    });
    await until(() => hasEnded(pid));
  });

  test('a signal for the caller is one for the command', async (context) => {
    const waits = program(context, 'waits');
    const lab = await sharedHost();
    const running = lab.exec([waits, '2'], ['-q'], { ownGroup: true });
    await running.waitForStdout('ready');
    running.child.kill('SIGTERM');
    await running.waitForStdout('SIGTERM');
    running.child.kill('SIGINT');
    expect(await running.ended).toMatchObject({ exitCode: 7 });
  });

  test('on a terminal Ctrl-C is for the command, which gets it once, and raw mode ends with it', async (context) => {
    const [pty, waits] = [program(context, 'pty'), program(context, 'waits')];
    const raw = program(context, 'raw-terminal');
    const lab = await sharedHost();
    const exec = [process.execPath, builtMain(), 'exec', '--on', lab.name, '-q', '--'];
    const on = (typed: string, ...command: readonly string[]) =>
      spawnSync(pty, [`${typed.charCodeAt(0) || 0}`, ...exec, ...command], {
        encoding: 'utf8',
        env: { ...process.env, NO_COLOR: '1' },
      });
    expect(on('', raw).status).toBe(137);
    const { status, stdout } = on('\x03', waits, '1');
    expect(stdout.replaceAll('\r', '')).toMatch(/^ready \d+\n\^CSIGINT\n$/);
    expect(status).toBe(7);
  });

  test('daemons that a command leaves behind are served on, and waited for', async (context) => {
    const daemon = program(context, 'daemon');
    const lab = await sharedHost();
    const path = join(lab.directory, 'ran');
    expect(await lab.exec([daemon, path], ['-q']).ended).toMatchObject({ exitCode: 0 });
    expect(readFileSync(path, 'utf8')).toBe('ran\n');
  });
});

describe('a command cannot join', () => {
  test("a host that is not there, or a mistake in what is the host's", async (context) => {
    requireSupervision(context);
    expect(await cli(['exec', '--on', 'nowhere', '--', 'true'])).toMatchObject({ exitCode: 3 });
    for (const option of ['--kernel=series-v9', '--fault=KVM_RUN=EINTR', '--host=sim']) {
      const { exitCode, stderr } = await cli(['exec', '--on', 'nowhere', option, '--', 'true']);
      expect({ exitCode, stderr }).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining('is there already'),
      });
    }
  });

  test("another user's host: the one is not let in, and root's programs are not looked into", async (context) => {
    const as = userOptions(context, 'an ordinary user');
    const td = program(context, 'td');
    const lab = await sharedHost();
    const stranger = await lab.exec(['true'], [], as).ended;
    expect(stranger).toMatchObject({ exitCode: 1 });
    expect(stranger.stderr).toContain('belongs to user 0');
    const state = mkdtempSync('/tmp/tdctl-of-another-');
    chownSync(state, as.uid ?? 0, as.uid ?? 0);
    chmodSync(state, 0o700);
    const env = { TDCTL_STATE_DIR: state, HOME: state };
    try {
      const start = ['host', 'start', 'theirs', '--host', 'sim'];
      expect(await tdctl(start, { ...as, env })).toMatchObject({ exitCode: 0 });
      const theirs = ['exec', '--on', 'theirs', '-q', '--', td];
      expect(await tdctl(theirs, { ...as, env })).toMatchObject({ exitCode: 0 });
      const root = await tdctl(theirs, { env });
      expect(root).toMatchObject({ exitCode: 8 });
      expect(root.stderr).toContain('no ptrace rights over the command');
      expect(await tdctl(['host', 'stop', 'theirs'], { ...as, env })).toMatchObject({
        exitCode: 0,
      });
    } finally {
      rmSync(state, { recursive: true, force: true });
    }
  });

  test('where it cannot be started: nothing of it is left on the host', async (context) => {
    requireSupervision(context);
    const lab = await sharedHost();
    expect(await lab.exec(['/nowhere/vmm']).ended).toMatchObject({ exitCode: 127 });
    expect(await lab.exec([projectRoot]).ended).toMatchObject({ exitCode: 126 });
    await lab.until(({ programs }) => programs.length === 0);
  });
});

const crowd =
  process.env.TDCTL_SWEEP === 'full' ? { qemus: 50, programs: 64 } : { qemus: 3, programs: 6 };
const timeoutMs = 60_000 + 8000 * (crowd.qemus + crowd.programs);

test(
  `${crowd.programs} programs that start at once, each with a slot of its own, give all of them back`,
  async (context) => {
    const holds = program(context, 'holds-slot');
    const slots = Math.min(crowd.programs, 62);
    const lab = await sharedHost({ slots });
    const all = Array.from({ length: crowd.programs }, () =>
      lab.exec([holds], ['-q'], { stdin: 'open' }),
    );
    await lab.until(({ keySlots }) => keySlots.used === slots);
    for (const { child } of all) child.stdin.end();
    const codes = (await Promise.all(all.map(({ ended }) => ended))).map((each) => each.exitCode);
    expect(codes.filter((code) => code === 0)).toHaveLength(slots);
    expect(codes.filter((code) => code === 3)).toHaveLength(crowd.programs - slots);
    expect(await lab.until(({ programs }) => programs.length === 0)).toMatchObject({
      keySlots: { used: 0 },
    });
  },
  timeoutMs,
);

test(
  `${crowd.qemus} QEMUs at once end with every slot back`,
  async (context) => {
    const machine = requireQemu(context);
    const lab = await sharedHost({ slots: crowd.qemus });
    const all = Array.from({ length: crowd.qemus }, () => lab.exec(tdCommand(machine), ['-q']));
    const ended = await Promise.all(all.map((each) => each.ended));
    expect(ended.map(({ exitCode }) => exitCode)).toEqual(ended.map(() => 0));
    expect(await lab.until(({ programs }) => programs.length === 0)).toMatchObject({
      keySlots: { used: 0 },
    });
  },
  timeoutMs,
);
