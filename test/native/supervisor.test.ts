/** The supervisor as the addon has it: misuse, and ends that nobody planned. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, type TestContext, test } from 'vitest';
import type { Supervisor, SupervisorHandlers } from '../../native/index.ts';
import { requireAddon } from './support.ts';

interface Supervised {
  readonly supervisor: Supervisor;
  readonly exited: Promise<readonly [how: string, status: number]>;
  readonly ended: Promise<void>;
}

function launch(
  context: TestContext,
  command: readonly string[],
  own: Partial<SupervisorHandlers> = {},
): Supervised {
  const addon = requireAddon(context);
  let exit: (how: readonly [string, number]) => void = () => undefined;
  let end: () => void = () => undefined;
  const exited = new Promise<readonly [string, number]>((resolve) => {
    exit = resolve;
  });
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const result = addon.Supervisor.launch(
    { command, systemAnswers: [] },
    {
      opened: () => undefined,
      ioctl: () => undefined,
      interrupted: () => undefined,
      closed: () => undefined,
      outOfReach: () => undefined,
      exited: (how, status) => exit([how, status]),
      ended: () => end(),
      ...own,
    },
  );
  if ('failed' in result) context.skip(`no supervision here: ${JSON.stringify(result.failed)}`);
  return { supervisor: (result as { launched: Supervisor }).launched, exited, ended };
}

describe('a command', () => {
  test('that asks nothing runs as it would, and its end is told', async (context) => {
    const { exited, ended, supervisor } = launch(context, ['sh', '-c', 'exit 7']);
    expect(supervisor.pid).toBeGreaterThan(0);
    expect(await exited).toEqual(['code', 7]);
    await ended;
    expect(supervisor.signal(15)).toBe(false);
  });

  test('gets the signals it is sent', async (context) => {
    const { exited, ended, supervisor } = launch(context, ['sleep', '1000']);
    expect(supervisor.signal(15)).toBe(true);
    expect(await exited).toEqual(['signal', 15]);
    await ended;
  });

  test('that is not there is a failure with its errno, and no events but its end', (context) => {
    const addon = requireAddon(context);
    const never = () => expect.unreachable();
    const handlers = { opened: never, ioctl: never, interrupted: never, closed: never };
    const rest = { outOfReach: never, exited: () => undefined, ended: () => undefined };
    const command = ['/nowhere/program'];
    const result = addon.Supervisor.launch(
      { command, systemAnswers: [] },
      { ...handlers, ...rest },
    );
    expect(result).toMatchObject({ failed: { stage: 'exec', code: 'ENOENT' } });
  });

  test('whose open is refused sees that errno', async (context) => {
    const { supervisor, exited, ended } = launch(
      context,
      // The shell fails to redirect.
      ['sh', '-c', '(: <>/dev/kvm) 2>/dev/null; exit $?'],
      { opened: (call) => expect(supervisor.refuse(call, 13)).toBe(true) },
    );
    expect((await exited)[1]).not.toBe(0);
    await ended;
  });
});

describe('misuse', () => {
  test('of launch throws, and starts nothing', (context) => {
    const { Supervisor } = requireAddon(context);
    const call =
      (...args: unknown[]) =>
      () =>
        Reflect.apply(Supervisor.launch, Supervisor, args);
    expect(call()).toThrow(TypeError);
    expect(call({ command: [], systemAnswers: [] }, {})).toThrow(RangeError);
    expect(call({ command: ['true'], systemAnswers: [] }, {})).toThrow(/handlers.opened/);
    expect(call({ command: ['tr\0ue'], systemAnswers: [] }, {})).toThrow(RangeError);
    expect(call({ command: ['true'], systemAnswers: [{ request: -1 }] }, {})).toThrow(RangeError);
    expect(() => Reflect.construct(Supervisor as never, [])).toThrow(/no public constructor/);
  });

  test('of a method throws, and a call that nobody makes is answered to nobody', async (context) => {
    const { supervisor, ended } = launch(context, ['sleep', '1000']);
    const nobody = 4_000_000;
    expect(supervisor.answer(nobody, 0)).toBe(false);
    expect(supervisor.refuse(nobody, 22)).toBe(false);
    expect(supervisor.isWaiting(nobody)).toBe(false);
    expect(supervisor.readMemory(nobody, 0n, new Uint8Array(8))).toBe(false);
    expect(supervisor.writeMemory(nobody, 0n, new Uint8Array(8))).toBe(false);
    const file = { name: 'x', sizeBytes: 0n, mapped: false, closeOnExec: true, system: false };
    expect(supervisor.install(nobody, file)).toMatchObject({ code: 'ENOENT' });
    supervisor.untilSignal(nobody);
    const wrong = supervisor as unknown as Record<string, (...args: unknown[]) => unknown>;
    expect(() => wrong.answer?.('1', 0)).toThrow(TypeError);
    expect(() => wrong.answer?.(1, -5)).toThrow(RangeError);
    expect(() => wrong.refuse?.(1, 0)).toThrow(RangeError);
    expect(() => wrong.refuse?.(1, 5000)).toThrow(RangeError);
    expect(() => wrong.findFile?.(-1, 0)).toThrow(RangeError);
    expect(() => wrong.hasSignal?.('x')).toThrow(TypeError);
    expect(() => wrong.signal?.(1e9)).toThrow(RangeError);
    supervisor.signal(9);
    await ended;
  });
});

describe('an end that nobody planned', () => {
  test('stop() while a program runs leaves it without answers, and lets this process go on', async (context) => {
    const { supervisor } = launch(context, ['sleep', '1000']);
    supervisor.stop();
    supervisor.stop();
    expect(supervisor.signal(9)).toBe(true);
  });

  test.for(['process.exit(3)', 'process.kill(process.pid, 9)', 'throw new Error()'])(
    'a supervisor that ends by %s ends its command too',
    async (end, context) => {
      requireAddon(context);
      const code = `
        import { loadAddon } from ${JSON.stringify(join(import.meta.dirname, '../../dist/native/index.js'))};
        const none = () => undefined;
        const handlers = { opened: none, ioctl: none, interrupted: none, closed: none,
          outOfReach: none, exited: none, ended: none };
        const { launched } = loadAddon().addon.Supervisor.launch(
          { command: ['sleep', '1000'], systemAnswers: [] }, handlers);
        console.log(launched.pid);
        setTimeout(() => { ${end}; });`;
      const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      const [pid] = await once(child.stdout.setEncoding('utf8'), 'data');
      await once(child, 'close');
      await waitUntilGone(Number(pid));
    },
  );
});

/**
 * The end of an orphan is nobody's to wait for, so it is asked for until the test's own limit. A zombie
 * has ended: this process is the one that orphans go to, once it has supervised a command.
 */
async function waitUntilGone(pid: number): Promise<void> {
  while (existsSync(`/proc/${pid}`)) {
    if (/^\d+ \(.*\) Z /s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
