/** The console of a guest that somebody else keeps: in a pipe, on a terminal, and how it ends. */
import { beforeEach, describe, expect, test } from 'vitest';
import { builtMain } from '../support/built.ts';
import { cli } from '../support/cli.ts';
import { data, keeping } from '../support/kept.ts';
import { onTerminal, skipWithoutPython } from '../support/on-terminal.ts';
import { startTdctl } from '../support/tdctl.ts';
import { skipWithoutKvm } from './soft-rehearsal-support.ts';

const { spec } = keeping();

/** A command in a pipe, which is typed at, and what it has printed until it ends. */
function piped(...args: string[]) {
  const { child, ended } = startTdctl(args, { stdin: 'open' });
  return { ended, type: (text: string) => child.stdin.write(text), end: () => child.stdin.end() };
}

describe('the console of a kept TD', () => {
  beforeEach(async (context) => {
    skipWithoutKvm(context);
    // With others the last words need not be the last: one may begin a line before the power is off.
    const file = spec('guest', (text) => text.replace(/vcpus: \d+/, 'vcpus: 1'));
    await cli(['create', file, '--host', 'soft', '--start']);
  });

  test('on a terminal ^] leaves it, the modes are as before, and the guest runs on', async (context) => {
    skipWithoutPython(context);
    const terminal = onTerminal([process.execPath, builtMain(), 'console', 'guest']);
    await terminal.shows('the console of guest is attached');
    await terminal.shows('vcpu 0 count');
    terminal.type('are you there\r');
    await terminal.shows('you said: are you there');
    terminal.type('\u001d');
    await expect(terminal.ended).resolves.toEqual({ exitCode: 0, modesAreAsBefore: true });
    expect(terminal.screen.text).toContain('left the console of guest; the TD goes on');
    expect(await data(['show', 'guest'])).toMatchObject({ state: 'running' });
  });

  test('in a pipe all bytes pass, and it ends with how the guest has ended', async () => {
    const attached = piped('console', 'guest');
    const following = piped('logs', '-f', 'guest');
    attached.type('flood 300\nquit\n');
    attached.end();
    const { exitCode, stdout, stderr } = await attached.ended;
    expect({ exitCode, stderr }).toEqual({
      exitCode: 0,
      stderr: 'guest: the guest has powered off\n',
    });
    const floods = [...stdout.matchAll(/^flood (\d+)\r?$/gm)].map(([, at]) => Number(at));
    expect(floods).toEqual(Array.from({ length: 300 }, (_, at) => at + 1));
    expect(stdout).toMatch(/goodbye\r?\n$/);
    // The log has all of that life, and whoever follows it ends with it.
    const log = (await cli(['logs', 'guest'])).stdout;
    expect(log).toMatch(/^hello from vcpu/);
    expect(log.endsWith(stdout)).toBe(true);
    expect(await following.ended).toEqual({ exitCode: 0, signal: null, stdout: log, stderr: '' });
    expect(await data(['show', 'guest'])).toMatchObject({ state: 'destroyed' });
  });

  test('what was printed in the life before is kept for one life more', async () => {
    await cli(['stop', 'guest', '--wait']);
    const { stdout: before } = await cli(['logs', 'guest']);
    await cli(['start', 'guest']);
    expect(await cli(['logs', 'guest', '--previous'])).toMatchObject({
      exitCode: 0,
      stdout: before,
    });
  });

  test('a guest has the time of --grace to end by itself', async () => {
    const { stdout } = await cli(['stop', 'guest', '--grace', '5min']);
    expect(stdout).toBe('guest: running; it has 5 min to end by itself\n');
    const attached = piped('console', 'guest');
    attached.type('quit\n');
    await attached.ended;
    expect(await cli(['wait', 'guest', '--for', 'destroyed', '--timeout', '1min'])).toMatchObject({
      exitCode: 0,
    });
  });
});
