/** `tdctl run --host soft`: a guest that runs, what it prints, and who types at it, on pipes and on a real terminal. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, type TestContext, test } from 'vitest';
import { loadAddon } from '../../native/index.ts';
import { builtMain } from '../support/built.ts';
import { cli } from '../support/cli.ts';
import {
  debugExit,
  echoUntilQ,
  flood,
  guestFiles,
  powerOff,
  print,
  reset,
  spin,
  tripleFault,
} from '../support/guest-image.ts';
import { onTerminal, skipWithoutPython } from '../support/on-terminal.ts';
import { hasEnded, until } from '../support/processes.ts';
import { connected } from '../support/sockets.ts';
import { startTdctl } from '../support/tdctl.ts';

const files = guestFiles();
const soft = ['--host', 'soft'];
const echo = [print('type: '), echoUntilQ, print('\r\nbye\r\n'), powerOff];

function skipWithoutKvm(context: TestContext): void {
  if (!existsSync('/dev/kvm')) context.skip('/dev/kvm is not here');
  if (!loadAddon().available) context.skip('the native addon is not built (g++, make, python3)');
}

const eventsOf = (stdout: string) =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('a guest that ends by itself', () => {
  test('by powering off: its lines are shown as its own, and the command ends with 0', async (context) => {
    skipWithoutKvm(context);
    const spec = files.spec([
      print('first\r\n\u001b[31mred\ttab\r\n'),
      print('debug\n', 0x402),
      print('prompt>'),
      powerOff,
    ]);
    const { stdout, stderr, exitCode } = await cli(['run', spec, ...soft]);
    expect(exitCode).toBe(0);
    const guest = stdout.split('\n').filter((line) => /^ {2}[│┆║┊] /.test(line));
    expect(guest).toEqual([
      '  │ first',
      '  │ \\u{1b}[31mred   tab',
      expect.stringMatching(/^ {2}([║] debug|│ prompt>)$/),
      expect.stringMatching(/^ {2}([║] debug|│ prompt>)$/),
    ]);
    expect(stdout).toContain('■ the guest has powered off');
    expect(stdout).toMatch(/^destroyed: everything was given back/m);
    expect(stderr).toMatch(/^$|^the guest runs; /);
  });

  test('the stream has its end as an event, and not a byte of its console', async (context) => {
    skipWithoutKvm(context);
    const spec = files.spec([print('not for the stream\n'), powerOff]);
    const log = files.at('console.log');
    const { stdout, exitCode } = await cli([
      ...['run', spec, ...soft, '-o', 'json', '--console-log', log],
    ]);
    expect(exitCode).toBe(0);
    expect(stdout).not.toContain('not for the stream');
    expect(readFileSync(log, 'utf8')).toBe('not for the stream\n');
    const ended = eventsOf(stdout).filter(({ event }) => event === 'guest.ended');
    expect(ended).toMatchObject([
      { reason: 'power-off', vcpu: 0, message: 'the guest has powered off' },
    ]);
  });

  test('by a reset: ended with 0, and a word that a TD is made anew', async (context) => {
    skipWithoutKvm(context);
    const { stdout, exitCode } = await cli(['run', files.spec([reset]), ...soft]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('a TD is not reset but made anew');
  });

  test('by a triple fault: exit 1 with the vCPU, what it means and where to look', async (context) => {
    skipWithoutKvm(context);
    const spec = files.spec([print('oops\n'), tripleFault]);
    const { stdout, stderr, exitCode } = await cli(['run', spec, ...soft]);
    expect(exitCode).toBe(1);
    expect(stdout).toContain('  │ oops\n');
    expect(stdout).toMatch(/^failed: everything was given back/m);
    expect(stderr).toMatch(
      /^error: .*vCPU 0 has shut down, as by a triple fault \[TDCTL_E_GUEST\]/m,
    );
    expect(stderr).toMatch(/^hint: .*--console-log FILE/m);
  });
});

test('isa-debug-exit: 0 is a good end, another value is told with exit 1', async (context) => {
  skipWithoutKvm(context);
  expect((await cli(['run', files.spec([debugExit(0)]), ...soft])).exitCode).toBe(0);
  const { exitCode, stderr } = await cli(['run', files.spec([debugExit(7)]), ...soft]);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/vCPU 0 .*isa-debug-exit, with the value 7 \[TDCTL_E_GUEST\]/);
});

describe('a guest that runs on', () => {
  test('--until running and --for take it down, with 0', async (context) => {
    skipWithoutKvm(context);
    const spec = files.spec([print('here\n'), spin]);
    for (const bound of [
      ['--until', 'running'],
      ['--for', '1ms'],
    ]) {
      const { stdout, exitCode } = await cli(['run', spec, ...soft, ...bound]);
      expect({ bound, exitCode }).toEqual({ bound, exitCode: 0 });
      expect(stdout).toContain('● running');
      expect(stdout).toMatch(/^destroyed: /m);
    }
  });

  test('SIGUSR2 pauses and resumes it, as events of the stream', async (context) => {
    skipWithoutKvm(context);
    const run = startTdctl(['run', files.spec([spin]), ...soft, '-o', 'json']);
    await run.waitForStdout('"state":"running"');
    run.child.kill('SIGUSR2');
    await run.waitForStdout('"state":"paused"');
    run.child.kill('SIGUSR2');
    const isBack = () => run.output.stdout.split('"transitions":["entering done"]').length > 2;
    await until(() => isBack() || run.child.exitCode !== null);
    run.child.kill('SIGTERM');
    const { exitCode, stdout } = await run.ended;
    expect(exitCode).toBe(0);
    const states = eventsOf(stdout)
      .filter(({ event }) => event === 'state.entered')
      .map(({ state }) => state);
    expect(states.slice(states.indexOf('runnable'))).toEqual([
      ...['runnable', 'entering', 'running', 'pausing', 'paused', 'entering', 'running'],
      ...['stopping', 'terminating', 'releasing', 'destroyed'],
    ]);
  });

  test('Ctrl-C is heard while it floods a reader that stands still', async (context) => {
    skipWithoutKvm(context);
    const run = startTdctl(['run', files.spec([print('begin\n'), flood(0x41)]), ...soft]);
    await run.waitForStdout('│ begin');
    run.child.stdout.pause();
    await run.waitForStderr('the guest runs');
    run.child.kill('SIGINT');
    run.child.stdout.resume();
    const { exitCode, stdout } = await run.ended;
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^destroyed: /m);
  });
});

describe('--console on pipes', () => {
  test('`echo quit | tdctl run --console`: standard output is the guest’s alone, and the run is told on stderr', async (context) => {
    skipWithoutKvm(context);
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [builtMain(), 'run', files.spec(echo), ...soft, '--console'],
      { input: 'a\u001dbq', encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } },
    );
    expect(stdout).toBe('type: a\u001dbq\r\nbye\r\n');
    expect(stderr).toContain('● runnable');
    expect(stderr).toContain('the guest has powered off');
    expect(status).toBe(0);
  });

  test('`spec.console: stdio` is the same', async (context) => {
    skipWithoutKvm(context);
    const spec = files.spec([print('\u001b[1mraw\r\n'), powerOff], { console: 'stdio' });
    const { stdout, stderr } = await cli(['run', spec, ...soft]);
    expect(stdout).toBe('\u001b[1mraw\r\n');
    expect(stderr).toContain('the guest has powered off');
  });

  test('`spec.console: {socket}` has a client that reads and types, and is gone afterwards', async (context) => {
    skipWithoutKvm(context);
    const path = files.at('console.sock');
    const run = startTdctl(['run', files.spec(echo, { console: { socket: path } }), ...soft]);
    const client = await connected(path, { hasEnded: () => run.child.exitCode !== null });
    let read = '';
    client.setEncoding('latin1').on('data', (text) => {
      read += text;
    });
    client.write('xyq');
    const { exitCode } = await run.ended;
    expect(exitCode).toBe(0);
    await until(() => read.includes('bye'));
    expect(read).toBe('type: xyq\r\nbye\r\n');
    expect(existsSync(path)).toBe(false);
  });
});

describe('--console on a terminal', () => {
  const command = (spec: string, ...more: string[]) => [
    ...[process.execPath, builtMain(), 'run', spec, ...soft, '--console', ...more],
  ];
  /** What a person gets back who leaves: the mouse is no input, the cursor is seen, lines wrap. */
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the sequences begin with one
  const putRight = /\u001b\[\?7h\u001b\[\?25h[\s\S]*\u001b\[\?1003l[\s\S]*\u001b\[23;0t/;

  test('keys go to the guest, Ctrl-C too; ^] leaves, p pauses, c attaches again; modes and screen are put right', async (context) => {
    skipWithoutKvm(context);
    skipWithoutPython(context);
    const spec = files.spec([print('\u001b[?25l\u001b[?1003htype: '), ...echo.slice(1)]);
    const terminal = onTerminal(command(spec));
    await terminal.shows('type: ');
    // As it is: nothing is made of the bytes on the way.
    expect(terminal.screen.text).toContain('\u001b[?25l\u001b[?1003htype: ');
    terminal.type('\u0003\u001aä');
    await terminal.shows('\u0003\u001a');
    terminal.type('\u001d');
    await terminal.shows('left the console');
    expect(terminal.screen.text).toMatch(putRight);
    terminal.type('p');
    await terminal.shows('‖ paused');
    terminal.type('p');
    await terminal.shows('● running');
    terminal.type('c');
    await terminal.shows('\u001b[22;0t', 2);
    terminal.type('q');
    const { exitCode, modesAreAsBefore } = await terminal.ended;
    expect({ exitCode, modesAreAsBefore }).toEqual({ exitCode: 0, modesAreAsBefore: true });
    expect(terminal.screen.text).toMatch(/bye[\s\S]*powered off[\s\S]*destroyed: /);
  });

  test('a signal takes the TD down, and the terminal is as it was', async (context) => {
    skipWithoutKvm(context);
    skipWithoutPython(context);
    const terminal = onTerminal(command(files.spec(echo)));
    await terminal.shows('type: ');
    process.kill(await terminal.pid(), 'SIGTERM');
    const { exitCode, modesAreAsBefore } = await terminal.ended;
    expect({ exitCode, modesAreAsBefore }).toEqual({ exitCode: 0, modesAreAsBefore: true });
    expect(terminal.screen.text).toMatch(putRight);
  });

  test('an error that nobody catches leaves the terminal as it was', async (context) => {
    skipWithoutKvm(context);
    skipWithoutPython(context);
    const bomb = `data:text/javascript,process.on('SIGWINCH', () => { throw new Error('boom') })`;
    const [node = '', ...rest] = command(files.spec(echo));
    const terminal = onTerminal([node, '--import', bomb, ...rest]);
    await terminal.shows('type: ');
    process.kill(await terminal.pid(), 'SIGWINCH');
    const { exitCode, modesAreAsBefore } = await terminal.ended;
    expect(terminal.screen.text).toContain('boom');
    expect({ exitCode, modesAreAsBefore }).toEqual({ exitCode: 1, modesAreAsBefore: true });
  });

  test('Ctrl-Z pauses the TD before the process stops, and the shell’s fg resumes it', async (context) => {
    skipWithoutKvm(context);
    skipWithoutPython(context);
    const line = `set -m; ${process.execPath} ${builtMain()} run ${files.spec([print('here\n'), spin])} --host soft; echo in the shell; fg`;
    const terminal = onTerminal(['bash', '-c', line]);
    await terminal.shows('● running');
    await terminal.shows('the guest runs');
    terminal.type('\u001a');
    await terminal.shows('in the shell');
    expect(terminal.screen.text).toMatch(/‖ paused[\s\S]*in the shell/);
    await terminal.shows('● running', 2);
    terminal.type('\u0003');
    const { exitCode, modesAreAsBefore } = await terminal.ended;
    expect({ exitCode, modesAreAsBefore }).toEqual({ exitCode: 0, modesAreAsBefore: true });
    expect(terminal.screen.text).toMatch(/destroyed: /);
  });
});

test('kill -9 leaves no process, and a socket that the next run replaces', async (context) => {
  skipWithoutKvm(context);
  const path = files.at('stale.sock');
  const spec = files.spec(echo, { console: { socket: path } });
  const killed = startTdctl(['run', spec, ...soft]);
  await killed.waitForStdout('● running');
  killed.child.kill('SIGKILL');
  await killed.ended;
  expect(hasEnded(killed.child.pid as number)).toBe(true);
  expect(existsSync(path)).toBe(true);
  const { exitCode } = await cli(['run', spec, ...soft, '--until', 'running']);
  expect(exitCode).toBe(0);
  expect(existsSync(path)).toBe(false);
});
