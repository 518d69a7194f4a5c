/** `tdctl exec` as a command: exit codes, signals, streams, the terminal, and what it writes. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, type TestContext, test } from 'vitest';
import { execute, program, requireSupervision, scratch } from '../exec/programs.ts';
import { builtMain } from '../support/built.ts';
import { hasEnded, until } from '../support/processes.ts';
import { type Running, startTdctl, tdctl } from '../support/tdctl.ts';

/** Without the summary, which has tests of its own. */
const exec = (...args: readonly string[]) => tdctl(['exec', '--quiet', ...args]);
const shell = (script: string) => exec('--', 'sh', '-c', script);

/** `ready PID`, as the programs say it. */
async function readyPid(running: Running): Promise<number> {
  await running.waitForStdout('ready');
  await until(() => /ready \d+\n/.test(running.output.stdout));
  return Number(/ready (\d+)/.exec(running.output.stdout)?.[1]);
}

describe('the exit code', () => {
  test("is the command's own", async (context) => {
    requireSupervision(context);
    expect(await shell('exit 0')).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await shell('exit 77')).toMatchObject({ exitCode: 77, stderr: '' });
  });

  test('is 128 and the signal that the command died of', async (context) => {
    requireSupervision(context);
    expect((await shell('kill -TERM $$')).exitCode).toBe(143);
    expect((await shell('kill -KILL $$')).exitCode).toBe(137);
  });

  test('is right for real-time signals too, which have names', async (context) => {
    requireSupervision(context);
    const { exitCode, stderr } = await tdctl(['exec', '--', 'sh', '-c', 'kill -37 $$']);
    expect(exitCode).toBe(165);
    expect(stderr).toContain('sh died of SIGRTMIN+3');
  });

  test('of a program that aborts comes with where to look, and not of one that was ended', async (context) => {
    requireSupervision(context);
    const ended = (signal: string) => tdctl(['exec', '--', 'sh', '-c', `kill -${signal} $$`]);
    expect((await ended('ABRT')).stderr).toMatch(
      /died +the program ended itself, and nothing was refused/,
    );
    expect((await ended('TERM')).stderr).not.toContain('ended itself');
  });

  test('is 127 where there is no such command', async (context) => {
    requireSupervision(context);
    for (const name of ['no-such-command', './no-such-command', '/no/such/command']) {
      const { exitCode, stdout, stderr } = await exec('--', name);
      expect({ exitCode, stdout }).toEqual({ exitCode: 127, stdout: '' });
      expect(stderr).toContain(`error: ${name}: command not found [TDCTL_E_COMMAND_NOT_FOUND]`);
    }
  });

  test('is 126 where it cannot be executed', async (context) => {
    requireSupervision(context);
    const plain = join(scratch, 'plain.txt');
    writeFileSync(plain, 'no program\n', { mode: 0o644 });
    for (const name of [plain, scratch]) {
      const { exitCode, stderr } = await exec('--', name);
      expect(exitCode).toBe(126);
      expect(stderr).toContain(`error: ${name}: the command cannot be executed`);
      expect(stderr).toContain('the kernel says: EACCES');
    }
  });

  test('is 6 where the command ends with 0, and the script expected something else', async (context) => {
    const script = join(scratch, 'unmet.yaml');
    writeFileSync(
      script,
      `apiVersion: tdctl.io/v1alpha1
kind: RunScript
metadata: {name: unmet}
spec:
  vcpus:
    - ids: [0]
      steps:
        - setupEventNotifyInterrupt: {vector: 0x50, expect: success}
`,
    );
    const command = [program(context, 'run-once')];
    const { exitCode, stderr } = await tdctl(['exec', '--run', script, '--', ...command]);
    expect(exitCode).toBe(6);
    expect(stderr).toContain('script      0 of 1 expectations met');
    expect(stderr).toContain(
      `not met     ${script}:8:38: setupEventNotifyInterrupt of vCPU 0 expects success`,
    );
    expect((await tdctl(['exec', '--', ...command])).exitCode).toBe(0);
  });
});

describe('bad input is refused before the command is started', () => {
  const started = join(scratch, 'started');
  const refused: readonly (readonly [what: string, exitCode: number, ...args: string[]])[] = [
    ['a host that is not simulated', 2, '--host', 'kvm'],
    ['a soft host', 2, '--host', 'soft'],
    ['an unknown profile', 2, '--host', 'sim:no-such-profile'],
    ['an unknown kernel', 2, '--kernel', 'no-such-kernel'],
    ['a fault that cannot be', 2, '--fault', 'KVM_NO_SUCH_CALL#1=EIO'],
    ['an option there is none of', 2, '--no-such-option'],
    ['a script that is not there', 3, '--run', join(scratch, 'no-such.yaml')],
    ['a trace that cannot be written', 1, '--trace', join(scratch, 'no/such.trace')],
    ['a summary that cannot be written', 1, '--summary', join(scratch, 'no/such.json')],
  ];
  test.for(refused)('%s: exit code %d', async ([, exitCode, ...args], context) => {
    requireSupervision(context);
    const ended = await exec(...args, '--', 'touch', started);
    expect(ended).toMatchObject({ exitCode, stdout: '' });
    expect(ended.stderr).toMatch(/^error: /);
    expect(existsSync(started)).toBe(false);
  });

  test('a script with mistakes: exit code 5, each with its place', async (context) => {
    requireSupervision(context);
    const script = join(scratch, 'mistaken.yaml');
    writeFileSync(script, 'apiVersion: tdctl.io/v1alpha1\nkind: RunScript\nspec: {vcpus: 3}\n');
    const { exitCode, stderr } = await exec('--run', script, '--', 'touch', started);
    expect(exitCode).toBe(5);
    expect(stderr).toContain('mistaken.yaml:3:15');
    expect(existsSync(started)).toBe(false);
  });

  test('no command at all: exit code 2', async () => {
    expect((await exec()).exitCode).toBe(2);
  });
});

describe('a signal to tdctl', () => {
  const startWaits = (context: TestContext, ...args: string[]) =>
    startTdctl(['exec', '--quiet', '--', program(context, 'waits'), ...args]);

  test.for(['SIGINT', 'SIGTERM'] as const)('%s reaches the command', async (signal, context) => {
    const running = startWaits(context, '1');
    await readyPid(running);
    running.child.kill(signal);
    expect(await running.ended).toMatchObject({ exitCode: 7, stderr: '' });
    expect(running.output.stdout).toContain(`\n${signal}\n`);
  });

  test('ends what a stopped command leaves running', async (context) => {
    const waits = program(context, 'waits');
    const running = startTdctl([
      'exec',
      '--quiet',
      '--',
      'sh',
      '-c',
      // The shell's own child reads nothing and goes on for ever; the command ends at the signal.
      `sleep 1000000 & echo left $!; exec ${waits} 1`,
    ]);
    await readyPid(running);
    const left = Number(/left (\d+)/.exec(running.output.stdout)?.[1]);
    expect(hasEnded(left)).toBe(false);
    running.child.kill('SIGTERM');
    expect((await running.ended).exitCode).toBe(7);
    expect(existsSync(`/proc/${left}`)).toBe(false);
  });

  test('the third kills a command that ends for none', async (context) => {
    const running = startWaits(context);
    const pid = await readyPid(running);
    for (const seen of ['SIGTERM', 'SIGTERM\nSIGTERM']) {
      running.child.kill('SIGTERM');
      await running.waitForStdout(seen);
    }
    running.child.kill('SIGTERM');
    expect((await running.ended).exitCode).toBe(137);
    expect(existsSync(`/proc/${pid}`)).toBe(false);
  });
});

describe('when tdctl is killed', () => {
  test('the command dies', async (context) => {
    const running = startTdctl(['exec', '--', program(context, 'waits')]);
    const pid = await readyPid(running);
    running.child.kill('SIGKILL');
    await until(() => hasEnded(pid));
  });
});

describe('the command has', () => {
  test('stdin and stdout as they are', async (context) => {
    requireSupervision(context);
    const bytes = randomBytes(1 << 20);
    const { stdout, status, stderr } = spawnSync(
      process.execPath,
      [builtMain(), 'exec', '-q', '--', 'cat'],
      {
        input: bytes,
        maxBuffer: 1 << 22,
      },
    );
    expect({ status, stderr: stderr.toString() }).toEqual({ status: 0, stderr: '' });
    expect(stdout.equals(bytes)).toBe(true);
  });

  test('environment and working directory of tdctl', async (context) => {
    requireSupervision(context);
    const cwd = join(scratch, 'a directory');
    mkdirSync(cwd, { recursive: true });
    const { stdout } = await tdctl(['exec', '-q', '--', 'sh', '-c', 'pwd; echo "$COLOUR"'], {
      cwd,
      env: { COLOUR: 'as it was' },
    });
    expect(stdout).toBe(`${cwd}\nas it was\n`);
  });

  test('its arguments, whatever they look like', async (context) => {
    requireSupervision(context);
    const args = ['--host', '-q', '', 'a b', '--', '"\n'];
    const { stdout } = await exec('--', 'printf', '[%s]', ...args);
    expect(stdout).toBe(args.map((arg) => `[${arg}]`).join(''));
  });
});

test('--fd passes on a file that was opened for tdctl, and refuses a number that is none', async (context) => {
  requireSupervision(context);
  const passed = spawnSync(
    'sh',
    [
      '-c',
      '"$0" "$@" 7</proc/sys/kernel/ostype',
      process.execPath,
      builtMain(),
      'exec',
      '-q',
    ].concat(['--fd', '7', '--', 'sh', '-c', 'cat <&7']),
    { encoding: 'utf8' },
  );
  expect(passed).toMatchObject({ status: 0, stdout: 'Linux\n', stderr: '' });
  const { exitCode, stderr } = await exec('--fd', '1', '--', 'true');
  expect({ exitCode, stderr }).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('the standard streams are passed anyway'),
  });
});

describe('on a terminal', () => {
  const onTerminal = (context: TestContext, typed: string, ...command: readonly string[]) =>
    spawnSync(program(context, 'pty'), [`${typed.charCodeAt(0) || 0}`, ...command], {
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: '1' },
    });
  const supervised = [process.execPath, builtMain(), 'exec', '-q', '--'] as const;

  test('its state comes back when the command is killed in raw mode', (context) => {
    const raw = program(context, 'raw-terminal');
    // Without tdctl it does not: the program tells of a terminal that was left changed.
    expect(onTerminal(context, '', raw).status).toBe(99);
    expect(onTerminal(context, '', ...supervised, raw).status).toBe(137);
  });

  test('Ctrl-C is for the command, which gets it once', (context) => {
    const waits = program(context, 'waits');
    const { status, stdout } = onTerminal(context, '\x03', ...supervised, waits, '1');
    expect(stdout.replaceAll('\r', '')).toMatch(/^ready \d+\n\^CSIGINT\n$/);
    expect(status).toBe(7);
  });
});

/** Without what the simulated CPU took from the one that the test runs on (cpu-identity.ts). */
function onAnyCpu(trace: string): string {
  return trace
    .replace(/(signature[=":]+)0x[0-9a-f]+/g, '$1<signature>')
    .replace(/(physicalAddressBits[=":]+)\d+/g, '$1<bits>')
    .replace(/(cpuid 0x1\.0 eax=)0x[0-9a-f]+/g, '$1<signature>')
    .replace(/(cpuid 0x80000008\.0 eax=0x[0-9a-f]{4})[0-9a-f]{2}/g, '$1<bits>')
    .replace(/("function":"0x1","index":0,"flags":0,"eax":")0x[0-9a-f]+/g, '$1<signature>')
    .replace(
      /("function":"0x80000008","index":0,"flags":0,"eax":"0x[0-9a-f]{4})[0-9a-f]{2}/g,
      '$1<bits>',
    );
}

describe('of a TD it tells', () => {
  /** The program by a name that is the same on every machine. */
  function asTd(context: TestContext) {
    const directory = join(scratch, 'bin');
    const td = program(context, 'td');
    mkdirSync(directory, { recursive: true });
    if (!existsSync(join(directory, 'td'))) spawnSync('cp', [td, join(directory, 'td')]);
    return { env: { PATH: `${directory}:${process.env.PATH}` } };
  }

  test('the golden summary, as text on stderr', async (context) => {
    const { stderr, exitCode } = await tdctl(['exec', '--', 'td'], asTd(context));
    expect(exitCode).toBe(0);
    await expect(stderr).toMatchFileSnapshot('../golden/exec/summary.txt');
  });

  test('the same as JSON', async (context) => {
    const { summary } = await execute(['td'], { as: asTd(context) });
    const text = `${JSON.stringify(summary, undefined, 2)}\n`;
    await expect(text).toMatchFileSnapshot('../golden/exec/summary.json');
  });

  test('nothing, where --quiet says so', async (context) => {
    expect((await tdctl(['exec', '-q', '--', 'td'], asTd(context))).stderr).toBe('');
  });

  test.for(['txt', 'jsonl'])(
    'the golden trace, the same every time: %s',
    async (ending, context) => {
      const path = join(scratch, `td.${ending}`);
      const options = asTd(context);
      const trace = async () => {
        const { exitCode } = await tdctl(['exec', '-q', '--trace', path, '--', 'td'], options);
        expect(exitCode).toBe(0);
        return readFileSync(path, 'utf8');
      };
      const first = await trace();
      await expect(onAnyCpu(first)).toMatchFileSnapshot(`../golden/exec/trace.${ending}`);
      expect(await trace()).toBe(first);
    },
  );
});

test('--fault: the VMM meets it, and the summary says what it means', async (context) => {
  const args = ['--fault', 'KVM_TDX_INIT_VM#1=EIO'];
  const { exitCode, stderr, summary } = await execute([program(context, 'td')], { args });
  expect(exitCode).toBe(1);
  expect(stderr).toContain('expected success, got Input/output error');
  expect(summary).toMatchObject({ stillOpen: [], keySlots: { used: 0 } });
  expect(summary.refusals).toContainEqual(
    expect.objectContaining({ request: 'KVM_TDX_INIT_VM', errno: 'EIO', count: 1 }),
  );
});

test('--fault: one that is never come to is a finding', async (context) => {
  const args = ['exec', '-q', '--fault', 'KVM_TDX_INIT_VM#9=EIO', '--', program(context, 'td')];
  const { exitCode, stderr } = await tdctl(args);
  expect(exitCode).toBe(6);
  expect(stderr).toBe('note: the run never came to --fault KVM_TDX_INIT_VM#9=EIO\n');
});

test('--kernel: vCPUs before INIT_VM are for some kernels only', async (context) => {
  const command = [program(context, 'vcpus-first')];
  const refused = await execute(command, { args: ['--kernel', 'upstream-7.3'] });
  expect(refused.exitCode).toBe(1);
  expect(refused.summary.refusals).toMatchObject([{ request: 'KVM_CREATE_VCPU', errno: 'EIO' }]);
  const accepted = await execute(command, { args: ['--kernel', 'proposal-1b'] });
  expect(accepted.exitCode).toBe(0);
  expect(accepted.summary.vms).toMatchObject([{ vcpus: { created: 2, initialized: 0 } }]);
});
