/** stdout, stderr, logs, traces and reports that cannot be written: what is held is given back, and it is said. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { runCli } from '../../src/cli/program.ts';
import { builtMain } from '../support/built.ts';
import { terminal } from '../support/cli.ts';
import { projectRoot, startTdctl, tdctl } from '../support/tdctl.ts';

const directory = mkdtempSync(join(tmpdir(), 'tdctl-lost-'));
afterAll(() => rmSync(directory, { recursive: true }));
const hello = join(projectRoot, 'examples/hello.yaml');
const ended = /^# end: outcome=destroyed$/m;

interface Streams {
  readonly stdout?: string;
  readonly stderr?: string;
}

/** Runs tdctl with streams that go to files, such as /dev/full. */
function into({ stdout, stderr }: Streams, args: readonly string[]) {
  const { status, ...written } = spawnSync(process.execPath, [builtMain(), ...args], {
    cwd: directory,
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined },
    stdio: [
      'ignore',
      stdout === undefined ? 'pipe' : openSync(stdout, 'w'),
      stderr === undefined ? 'pipe' : openSync(stderr, 'w'),
    ],
    encoding: 'utf8',
  });
  return { ...written, exitCode: status };
}

const sentence = (place: string) =>
  new RegExp(`^error: ${place}: the \\w+ cannot be written: no space is left there`, 'm');
const noStack = /^\s+at /m;

describe('a full disk under stdout', () => {
  // test/cli/exit-codes.test.ts has every command on a full disk.
  const commands: readonly (readonly string[])[] = [
    ['--version'],
    ['--help'],
    ['run', '--help'],
    ['doctor', '--explain', 'bios.key-split'],
    ['fit', hello, '--hosts', 'sim:spr-1.5', '-o', 'yaml'],
    ['run', hello, '--host', 'sim'],
  ];
  test.each(commands.map((args) => [args]))('%j: one sentence, exit 1', (args) => {
    const { stderr, exitCode } = into({ stdout: '/dev/full' }, args);
    expect(stderr).toMatch(sentence('stdout'));
    expect(stderr).not.toMatch(noStack);
    expect(stderr).not.toContain('TDCTL_E_INTERRUPTED');
    expect(exitCode).toBe(1);
  });

  test('is told as data where data was asked for', () => {
    const { stderr } = into({ stdout: '/dev/full' }, ['kernels', '-o', 'json']);
    expect(JSON.parse(stderr).error).toMatchObject({
      code: 'TDCTL_E_NOT_WRITABLE',
      place: 'stdout',
      exitCode: 1,
    });
  });

  test('does not hide what the command ended with itself', () => {
    const lint = ['trace', 'lint', hello];
    expect(into({ stdout: '/dev/full' }, lint).exitCode).toBe(5);
  });
});

describe('output of a run that cannot be written takes the TD down', () => {
  const cases: readonly (readonly [string, Streams, readonly string[], RegExp])[] = [
    ['stdout', { stdout: '/dev/full' }, [], sentence('stdout')],
    ['stdout as JSON', { stdout: '/dev/full' }, ['-o', 'json'], /"place":"stdout"/],
    ['the log', {}, ['--log-file', '/dev/full'], sentence('/dev/full')],
  ];
  test.each(cases)('%s', (title, streams, options, told) => {
    const trace = `${title.replaceAll(' ', '-')}.trace`;
    const args = ['run', hello, '--host', 'sim', '--trace', trace, ...options];
    const { stderr, exitCode } = into(streams, args);
    expect([exitCode, stderr]).toEqual([1, expect.stringMatching(told)]);
    expect(stderr).not.toMatch(noStack);
    expect(readFileSync(join(directory, trace), 'utf8')).toMatch(ended);
  });

  test('the trace', () => {
    const args = ['run', hello, '--host', 'sim', '--trace', '/dev/full', '--log-file', 'trace.log'];
    const { stderr, exitCode } = into({}, args);
    expect([exitCode, stderr]).toEqual([1, expect.stringMatching(sentence('/dev/full'))]);
    // The disk may be known to be full before the TD is begun.
    const log = readFileSync(join(directory, 'trace.log'), 'utf8');
    expect(log).toMatch(/^$|"op":"td.ended".*"outcome":"destroyed"/);
  });

  test('stderr, where nothing can be said: the exit code tells', () => {
    const log = ['--log-level', 'info', '--trace', 'stderr.trace'];
    const { exitCode } = into({ stderr: '/dev/full' }, ['run', hello, '--host', 'sim', ...log]);
    expect(exitCode).toBe(1);
    expect(readFileSync(join(directory, 'stderr.trace'), 'utf8')).toMatch(ended);
  });

  test('a log beyond the largest file ends with a whole line', () => {
    const args = [
      'run',
      hello,
      '--host',
      'sim',
      '--log-file',
      'limited.log',
      '--log-level',
      'trace',
    ];
    const limited = spawnSync(
      'sh',
      ['-c', 'ulimit -f 2; exec "$0" "$@"', process.execPath, builtMain(), ...args],
      { cwd: directory, encoding: 'utf8' },
    );
    expect(limited.stderr).toContain('a file may not become so large');
    expect(limited.status).toBe(1);
    const log = readFileSync(join(directory, 'limited.log'), 'utf8');
    expect(log.endsWith('\n')).toBe(true);
    for (const line of log.trimEnd().split('\n')) JSON.parse(line);
  });
});

test('where stderr is broken, the exit code is still that of the failure', () => {
  expect(into({ stderr: '/dev/full' }, ['plan', 'nowhere.yaml', '--host', 'sim']).exitCode).toBe(3);
  expect(into({ stderr: '/dev/full' }, ['run', '--nope']).exitCode).toBe(2);
  expect(into({ stderr: '/dev/full' }, ['kernels']).exitCode).toBe(0);
});

describe('a reader that has enough', () => {
  test('ends a command quietly', async () => {
    const child = spawn('sh', [
      '-c',
      '"$0" "$@" | head -1',
      process.execPath,
      builtMain(),
      'kernels',
      '-o',
      'json',
    ]);
    let stderr = '';
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    let stdout = '';
    child.stdout.on('data', (text) => {
      stdout += text;
    });
    await new Promise((resolve) => child.on('close', resolve));
    expect([stdout, stderr]).toEqual(['{\n', '']);
  });

  test('ends a run that holds its TD, without a word, and the TD is taken down', async () => {
    const trace = join(directory, 'reader.trace');
    const running = startTdctl(['run', hello, '--host', 'sim', '-o', 'json', '--trace', trace]);
    await running.waitForStdout('run.planned');
    running.child.stdout.destroy();
    const { stderr, exitCode } = await running.ended;
    expect(stderr).toBe('');
    expect([0, 130]).toContain(exitCode);
    expect(readFileSync(trace, 'utf8')).toMatch(ended);
  });

  test('gets all of a large output, however slow it is', async () => {
    const args = ['kernels', '-o', 'json'];
    const whole = await tdctl(args);
    const slow = spawnSync(
      'sh',
      ['-c', '"$0" "$@" | { sleep 1; cat; }', process.execPath, builtMain(), ...args],
      { encoding: 'utf8', maxBuffer: 2 ** 28 },
    );
    expect(whole.stdout.length).toBeGreaterThan(65_536);
    expect(slow.stdout.length).toBe(whole.stdout.length);
  });
});

describe('tdctl exec', () => {
  const exec = (...args: readonly string[]) => into({}, ['exec', ...args]);
  const summaryIn = (name: string) => JSON.parse(readFileSync(join(directory, name), 'utf8'));

  test('keeps the summary and the exit code of the command where the trace is lost', () => {
    const options = ['--trace', '/dev/full', '--summary', 'ok.json'];
    for (const [script, expected] of [
      ['exit 3', 3],
      ['exit 0', 1],
    ] as const) {
      const { stderr, exitCode } = exec(...options, '--', 'sh', '-c', script);
      expect([exitCode, stderr]).toEqual([expected, expect.stringMatching(sentence('/dev/full'))]);
      expect(summaryIn('ok.json')).toHaveProperty('expectations');
    }
  });

  test('leaves the old summary where the new one cannot be written', () => {
    writeFileSync(join(directory, 'kept.json'), 'old');
    const { exitCode } = spawnLimited(['exec', '--summary', 'kept.json', '--', 'true']);
    expect(exitCode).toBe(1);
    expect(readFileSync(join(directory, 'kept.json'), 'utf8')).toBe('old');
    expect(readdirSync(directory).filter((name) => name.endsWith('tdctl-tmp'))).toEqual([]);
  });

  test('starts nothing where a file cannot be written', () => {
    const touched = ['--', 'touch', join(directory, 'touched')];
    expect(exec('--trace', 'no/such/trace', ...touched).exitCode).toBe(1);
    expect(exec('--summary', 'no/such/summary', ...touched).exitCode).toBe(1);
    expect(readdirSync(directory)).not.toContain('touched');
  });

  /** No file may have a byte. */
  function spawnLimited(args: readonly string[]) {
    const { status } = spawnSync(
      'sh',
      ['-c', 'ulimit -f 0; exec "$0" "$@"', process.execPath, builtMain(), ...args],
      { cwd: directory },
    );
    return { exitCode: status };
  }
});

test('two commands do not write one trace', async () => {
  const trace = join(directory, 'one.trace');
  const first = startTdctl(['run', hello, '--host', 'sim', '--trace', trace]);
  await first.waitForStdout('runnable');
  const args = ['run', hello, '--host', 'sim', '--until', 'runnable', '--trace', trace];
  const second = await tdctl(args);
  expect([second.exitCode, second.stderr]).toEqual([4, expect.stringContaining('TDCTL_E_BUSY')]);
  first.child.kill('SIGTERM');
  await first.ended;
  expect(readFileSync(trace, 'utf8').match(/^# /gm)?.length).toBe(2);
});

test('a defect in what is shown does not leave a TD behind', async () => {
  const { io, written } = terminal();
  let lines = 0;
  const stdout = {
    write: (text: string) => {
      lines += 1;
      if (lines === 5) throw new Error('broken view');
      io.stdout.write(text);
    },
  };
  const trace = join(directory, 'defect.trace');
  const args = ['run', hello, '--host', 'sim', '--trace', trace];
  expect(await runCli(args, { ...io, stdout })).toBe(1);
  expect(written.stderr).toContain('Error: broken view');
  expect(readFileSync(trace, 'utf8')).toMatch(ended);
});
