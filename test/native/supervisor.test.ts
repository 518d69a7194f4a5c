/** The supervisor at the addon's own interface; what programs see of it is in test/exec. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { constants as fileConstants, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { Worker } from 'node:worker_threads';
import { describe, expect, type TestContext, test } from 'vitest';
import {
  loadAddon,
  type NewFile,
  type Supervisor,
  type SupervisorHandlers,
} from '../../native/index.ts';
import { hasEnded, stat, until } from '../support/processes.ts';
import { requireAddon } from './support.ts';

/** A shell opens the file that it is told to redirect to: no program of ours is needed. */
const opensKvm = ['sh', '-c', 'exec 3<>/dev/kvm'];
const sleeps = ['sleep', '1000000'];
const noAnswers = { systemAnswers: [] } as const;
const kvmFile: NewFile = {
  name: 'kvm',
  sizeBytes: 0n,
  mapped: false,
  mappable: 'no',
  closeOnExec: false,
  flags: fileConstants.O_RDWR,
  system: true,
};

interface Supervised {
  readonly supervisor: Supervisor;
  /** What the handlers were told, in order. */
  readonly events: unknown[][];
  readonly ended: Promise<void>;
}

/** Killed with the test, where it has not ended. */
function launch(
  context: TestContext,
  command: readonly string[],
  on: Partial<SupervisorHandlers> = {},
): Supervised {
  const addon = requireAddon(context);
  const events: unknown[][] = [];
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const tell =
    (name: keyof SupervisorHandlers) =>
    (...args: unknown[]) => {
      events.push([name, ...args]);
      (on[name] as ((...args: unknown[]) => void) | undefined)?.(...args);
      if (name === 'ended') end();
    };
  const result = addon.Supervisor.launch(
    { command, ...noAnswers },
    {
      opened: tell('opened'),
      ioctl: tell('ioctl'),
      fallocate: tell('fallocate'),
      interrupted: tell('interrupted'),
      closed: tell('closed'),
      outOfReach: tell('outOfReach'),
      guardLost: tell('guardLost'),
      unserved: tell('unserved'),
      exited: tell('exited'),
      ended: tell('ended'),
      failed: tell('failed'),
    },
  );
  if ('failed' in result) {
    const { stage, code } = result.failed;
    return context.skip(`no program can be supervised here: ${stage} ${code}`);
  }
  const { launched: supervisor } = result;
  context.onTestFinished(() => {
    supervisor.signal(constants.signals.SIGKILL);
    supervisor.stop();
  });
  return { supervisor, events, ended };
}

describe('what happens is told in order', () => {
  test('an open that is answered is told, then the last close, then the end', async (context) => {
    const given: unknown[] = [];
    const { supervisor, events, ended } = launch(context, opensKvm, {
      opened: (call) => given.push(supervisor.install(call, kvmFile)),
    });
    await ended;
    expect(given).toEqual([{ fd: 3, file: 1 }]);
    expect(events.map(([name]) => name).sort()).toEqual(['closed', 'ended', 'exited', 'opened']);
    // The kernel sets O_LARGEFILE in every open() of a 64-bit program.
    const flags = fileConstants.O_RDWR | 0o100000;
    expect(events[0]).toEqual(['opened', 1, supervisor.pid, supervisor.pid, 1, false, flags]);
    expect(events).toContainEqual(['closed', 1]);
    expect(events).toContainEqual(['exited', 'code', 0]);
    expect(events.at(-1)).toEqual(['ended']);
  });

  test('an open that is refused is told and opens nothing', async (context) => {
    const { supervisor, events, ended } = launch(context, opensKvm, {
      opened: (call) => expect(supervisor.refuse(call, 13)).toBe(true),
    });
    await ended;
    // As a shell says that a redirection failed.
    expect(events).toContainEqual(['exited', 'code', 2]);
  });

  test('a death by signal is told with the signal', async (context) => {
    const { supervisor, events, ended } = launch(context, sleeps);
    expect(supervisor.signal(constants.signals.SIGTERM)).toBe(true);
    await ended;
    expect(events).toEqual([['exited', 'signal', 15], ['ended']]);
    expect(supervisor.signal(constants.signals.SIGTERM)).toBe(false);
    expect(stat(supervisor.pid)).toBeUndefined();
  });

  test('a call whose caller was killed is interrupted, and takes no answer', async (context) => {
    let refused: boolean | undefined;
    const { supervisor, events, ended } = launch(context, opensKvm, {
      opened: (call) => {
        supervisor.keep(call);
        supervisor.signal(constants.signals.SIGKILL);
      },
      interrupted: (call) => {
        expect(supervisor.isWaiting(call)).toBe(false);
        refused = supervisor.refuse(call, 5);
      },
    });
    await ended;
    expect(events).toContainEqual(['interrupted', 1]);
    expect(refused).toBe(false);
  });
});

test('one command at a time: a second is refused until the first has ended', async (context) => {
  const { supervisor, ended } = launch(context, sleeps);
  const addon = requireAddon(context);
  const handlers = Object.fromEntries(
    [
      'opened',
      'ioctl',
      'interrupted',
      'closed',
      'outOfReach',
      'unserved',
      'guardLost',
      'exited',
      'ended',
      'failed',
    ].map((name) => [name, () => {}]),
  ) as unknown as SupervisorHandlers;
  const second = addon.Supervisor.launch({ command: ['true'], ...noAnswers }, handlers);
  expect(second).toEqual({ failed: { stage: 'busy', errno: 16, code: 'EBUSY' } });
  supervisor.signal(constants.signals.SIGKILL);
  await ended;
  const third = launch(context, ['true']);
  await third.ended;
  expect(third.events).toEqual([['exited', 'code', 0], ['ended']]);
});

test('a command that is not there leaves nothing behind', (context) => {
  const addon = requireAddon(context);
  const children = () => readFileSync('/proc/thread-self/children', 'utf8');
  const before = children();
  const handlers = new Proxy({}, { get: () => () => {} }) as unknown as SupervisorHandlers;
  for (let time = 0; time < 10; time += 1) {
    const result = addon.Supervisor.launch(
      { command: ['no-such-command'], ...noAnswers },
      handlers,
    );
    if (!('failed' in result)) throw new Error('it was launched');
    if (result.failed.stage !== 'exec')
      context.skip(`nothing is supervised: ${result.failed.code}`);
    expect(result.failed).toEqual({ stage: 'exec', errno: 2, code: 'ENOENT' });
  }
  expect(children()).toBe(before);
});

/** As a shell ends where a redirection failed. */
const redirectionFailed = ['exited', 'code', 2];
const broken = () => {
  throw defect;
};
const defect = new Error('broken');

describe('a call that a handler leaves behind is refused', () => {
  test('a handler that throws is told of, and nobody waits for it', async (context) => {
    const { events, ended } = launch(context, opensKvm, { opened: broken });
    await ended;
    expect(events.map(([name]) => name)).toEqual(['opened', 'failed', 'exited', 'ended']);
    expect(events[1]).toEqual(['failed', defect]);
    expect(events).toContainEqual(redirectionFailed);
  });

  test('its caller gets EIO', async (context) => {
    const script =
      'import os\ntry: os.open("/dev/kvm", os.O_RDWR)\nexcept OSError as e: os._exit(e.errno)';
    const python = spawnSync('python3', ['-c', '']);
    if (python.error !== undefined) return context.skip('there is no python3');
    const { events, ended } = launch(context, ['python3', '-c', script], { opened: broken });
    await ended;
    expect(events).toContainEqual(['exited', 'code', constants.errno.EIO]);
  });

  test('a handler that returns without an answer is one with a defect', async (context) => {
    const { events, ended } = launch(context, opensKvm);
    await ended;
    const error = new Error('a handler neither answered its call nor kept it');
    expect(events[1]).toEqual(['failed', error]);
    expect(events).toContainEqual(redirectionFailed);
  });

  test('a call that is kept waits', async (context) => {
    const { supervisor, events, ended } = launch(context, opensKvm, {
      opened: (call) => {
        supervisor.keep(call);
        setImmediate(() => expect(supervisor.install(call, kvmFile)).toMatchObject({ fd: 3 }));
      },
    });
    await ended;
    expect(events).toContainEqual(['exited', 'code', 0]);
    expect(events.map(([name]) => name)).not.toContain('failed');
  });

  test('a handler that throws once its call is answered is told of too', async (context) => {
    const { supervisor, events, ended } = launch(context, opensKvm, {
      opened: (call) => {
        supervisor.install(call, kvmFile);
        throw defect;
      },
    });
    await ended;
    expect(events).toContainEqual(['failed', defect]);
    expect(events).toContainEqual(['exited', 'code', 0]);
  });

  test.for(['interrupted', 'closed', 'exited'] as const)(
    'what `%s` throws is told of',
    async (name, context) => {
      const { supervisor, events, ended } = launch(context, opensKvm, {
        opened: (call) => {
          if (name !== 'interrupted') return supervisor.install(call, kvmFile);
          supervisor.keep(call);
          return supervisor.signal(constants.signals.SIGKILL);
        },
        [name]: broken,
      });
      await ended;
      expect(events).toContainEqual(['failed', defect]);
    },
  );
});

describe('stop()', () => {
  test('stop() returns when the program is gone', (context) => {
    const { supervisor, events } = launch(context, sleeps);
    const { pid } = supervisor;
    supervisor.stop();
    expect(stat(pid)).toBeUndefined();
    expect(events).toEqual([]);
  });

  test('stop() ends a program whose call waits', async (context) => {
    let stopped = () => {};
    const hasStopped = new Promise<void>((resolve) => {
      stopped = resolve;
    });
    const { supervisor, events } = launch(context, opensKvm, {
      opened: () => {
        supervisor.stop();
        stopped();
      },
    });
    const { pid } = supervisor;
    await hasStopped;
    expect(stat(pid)).toBeUndefined();
    expect(events.map(([name]) => name)).toEqual(['opened']);
    expect(supervisor.answer(1, 0)).toBe(false);
    expect(supervisor.refuse(1, 5)).toBe(false);
    expect(supervisor.isWaiting(1)).toBe(false);
    expect(supervisor.install(1, kvmFile)).toMatchObject({ code: 'ENOENT', whose: 'caller' });
    supervisor.stop();
  });

  test('stop() comes as often as one likes, also after the end', async (context) => {
    const { supervisor, ended } = launch(context, ['true']);
    await ended;
    supervisor.stop();
    supervisor.stop();
  });
});

describe('an environment that ends with a program running takes it along', () => {
  const body = (command: readonly string[]) => `
    const addon = require(process.env.TDCTL_TESTED_ADDON);
    const handlers = new Proxy({}, { get: () => () => {} });
    const { launched, failed } = addon.Supervisor.launch(
      { command: ${JSON.stringify(command)}, systemAnswers: [] }, handlers);`;

  function environment(context: TestContext): NodeJS.ProcessEnv {
    requireAddon(context);
    const native = loadAddon();
    return { ...process.env, TDCTL_TESTED_ADDON: native.available ? native.path : '' };
  }

  test('a worker thread that is terminated takes its program along', async (context) => {
    const worker = new Worker(
      `const { parentPort } = require('node:worker_threads'); ${body(sleeps)}
       parentPort.postMessage(failed === undefined ? launched.pid : failed.code);
       setInterval(() => {}, 1000);`,
      { eval: true, env: environment(context) },
    );
    const [pid] = (await once(worker, 'message')) as [number | string];
    if (typeof pid === 'string') return context.skip(`nothing is supervised: ${pid}`);
    expect(hasEnded(pid)).toBe(false);
    await worker.terminate();
    await until(() => hasEnded(pid));
  });

  test('a process that no handler can save ends with the stack', async (context) => {
    const script = `${body(opensKvm).replace(
      'get: () => () => {}',
      "get: () => () => { throw new Error('broken'); }",
    )}`;
    const env = environment(context);
    const { stderr, status } = spawnSync(process.execPath, ['-e', script], {
      encoding: 'utf8',
      env,
    });
    expect(stderr).toContain('Error: broken');
    expect(status).not.toBe(0);
  });

  test.for(['process.exit(3)', 'process.abort()'])(
    'a process that ends by %s takes its program along',
    (end, context) => {
      const script = `${body(sleeps)} console.log(failed === undefined ? launched.pid : failed.code); ${end};`;
      const env = environment(context);
      const { stdout, status, signal } = spawnSync(process.execPath, ['-e', script], {
        encoding: 'utf8',
        env,
      });
      const pid = Number(stdout);
      if (Number.isNaN(pid)) return context.skip(`nothing is supervised: ${stdout}`);
      if (end === 'process.abort()') expect(signal).toBe('SIGABRT');
      else expect(status).toBe(3);
      return until(() => hasEnded(pid));
    },
  );

  test('a Supervisor that nobody refers to lives as long as its command', async (context) => {
    const script = `
      const addon = require(process.env.TDCTL_TESTED_ADDON);
      const handlers = new Proxy({}, { get: (_, name) => (...args) => console.log(name, ...args) });
      const { failed } = addon.Supervisor.launch(
        { command: ['sh', '-c', 'read line; exit 3'], systemAnswers: [] }, handlers);
      console.log(failed === undefined ? 'launched' : failed.code);
      setImmediate(() => { gc(); setImmediate(() => { gc(); console.log('collected'); }); });`;
    const env = environment(context);
    const child = spawn(process.execPath, ['--expose-gc', '-e', script], { env });
    context.onTestFinished(() => {
      child.kill('SIGKILL');
    });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      if (stdout.includes('collected')) child.stdin.end('line\n');
    });
    expect(await once(child, 'close')).toEqual([0, null]);
    if (!stdout.startsWith('launched')) return context.skip(`nothing is supervised: ${stdout}`);
    expect(stdout).toBe('launched\ncollected\nexited code 3\nended\n');
  });

  test('a process that ends takes along a program that waits for an answer', (context) => {
    const script = `${body(opensKvm).replace('() => () => {}', "(_, name) => () => name === 'opened' && process.exit(4)")}`;
    const { status } = spawnSync(process.execPath, ['-e', script], { env: environment(context) });
    expect(status).toBe(4);
  });
});

describe('misuse is refused', () => {
  // biome-ignore lint/suspicious/noExplicitAny: misuse is what the types forbid.
  type Anything = any;
  const uint32 = (name: string, least = 0, most = 4_294_967_295) =>
    `\`${name}\` must be an integer from ${least} to ${most}`;

  const launches: readonly (readonly [what: string, message: string, command: Anything])[] = [
    ['no command', '`command` must be an array of at most 1048576 elements', {}],
    ['a command of no words', '`command` must have at least one word', { command: [] }],
    ['a word that is none', '`command[]` must be a string', { command: ['true', 1] }],
    [
      'a word that ends early',
      '`command[]` must not contain a null character',
      { command: ['tr\0ue'] },
    ],
    [
      'no answers',
      '`systemAnswers` must be an array of at most 65536 elements',
      { command: ['true'], systemAnswers: undefined },
    ],
    [
      'an answer that is none',
      uint32('value', 0, 2_147_483_647),
      { command: ['true'], systemAnswers: [{ request: 1, argument: 2, value: -1 }] },
    ],
  ];
  test.for(launches)('launch() with %s is refused: %s', ([, message, command], context) => {
    const addon = requireAddon(context);
    const launching = () => addon.Supervisor.launch({ ...noAnswers, ...command }, {} as Anything);
    expect(launching).toThrow(message);
  });

  test('launch() with a handler missing starts nothing', (context) => {
    const { Supervisor } = requireAddon(context);
    const command = { command: ['true'], ...noAnswers };
    expect(() => Supervisor.launch(command, undefined as Anything)).toThrow(TypeError);
    // Where nothing can be supervised, it fails before it looks at them.
    const handlers = { opened: () => {} } as Anything;
    const attempt = () => {
      const result = Supervisor.launch(command, handlers);
      if ('failed' in result) context.skip(`nothing is supervised: ${result.failed.code}`);
    };
    expect(attempt).toThrow('`handlers.ioctl` must be a function');
  });

  const bytes = new Uint8Array(1);
  const calls: readonly (readonly [message: string, call: (on: Anything) => unknown])[] = [
    [uint32('call'), (on) => on.answer('1', 0)],
    [uint32('call'), (on) => on.refuse(-1, 5)],
    [uint32('call'), (on) => on.install(1.5, kvmFile)],
    [uint32('call'), (on) => on.isWaiting()],
    [uint32('call'), (on) => on.readMemory({}, 0n, bytes)],
    [uint32('value', 0, 2_147_483_647), (on) => on.answer(1)],
    [uint32('value', 0, 2_147_483_647), (on) => on.answer(1, -1)],
    [uint32('errno', 1, 4095), (on) => on.refuse(1, 0)],
    [uint32('errno', 1, 4095), (on) => on.refuse(1, 4096)],
    [uint32('thread', 1, 2_147_483_647), (on) => on.hasSignal(0)],
    [uint32('thread', 1, 2_147_483_647), (on) => on.findFile(-1, 0)],
    [uint32('fd'), (on) => on.findFile(1, '0')],
    ['`blocked` must be a BigInt from 0n to 2n ** 64n - 1n', (on) => on.untilSignal(1, 5)],
    [uint32('signal', 0, 64), (on) => on.signal(65)],
    [uint32('signal', 0, 64), (on) => on.signal('SIGTERM')],
  ];
  test.for(calls)('a misuse is refused with %s: %s', ([message, call], context) => {
    const { supervisor, events } = launch(context, sleeps);
    expect(() => call(supervisor)).toThrow(message);
    expect(events).toEqual([]);
  });

  test('an answer of the wrong form is refused, and its call still waits', async (context) => {
    const on: { supervisor?: Anything } = {};
    const thrown: unknown[] = [];
    const { supervisor, ended } = launch(context, opensKvm, {
      opened: (call) => {
        const wrong: readonly (() => unknown)[] = [
          () => on.supervisor.readMemory(call, 0, bytes),
          () => on.supervisor.readMemory(call, 0n, [0]),
          () => on.supervisor.writeMemory(call, 0n),
          () => on.supervisor.install(call, { ...kvmFile, name: 1 }),
          () => on.supervisor.install(call, { ...kvmFile, sizeBytes: 1 }),
          () => on.supervisor.install(call),
        ];
        for (const each of wrong) {
          try {
            thrown.push(each());
          } catch (error) {
            thrown.push((error as Error).name);
          }
        }
        thrown.push(on.supervisor.isWaiting(call), on.supervisor.readMemory(call, 0n, bytes));
        on.supervisor.refuse(call, 2);
      },
    });
    on.supervisor = supervisor;
    await ended;
    expect(thrown).toEqual([...Array(6).fill('TypeError'), true, false]);
  });

  test('a number that no call has is answered by nobody', (context) => {
    const { supervisor } = launch(context, sleeps);
    expect(supervisor.answer(7, 0)).toBe(false);
    expect(supervisor.refuse(7, 5)).toBe(false);
    expect(supervisor.isWaiting(7)).toBe(false);
    expect(supervisor.readMemory(7, 0n, bytes)).toBe(false);
    expect(supervisor.writeMemory(7, 0n, bytes)).toBe(false);
    expect(supervisor.install(7, kvmFile)).toEqual({ errno: 2, code: 'ENOENT', whose: 'caller' });
  });

  test('a wrong this is refused, and a constructor that nobody may call', (context) => {
    const { supervisor } = launch(context, sleeps);
    const { Supervisor: Class } = requireAddon(context);
    for (const wrong of [{}, Object.create(supervisor), undefined]) {
      expect(() => supervisor.stop.call(wrong as never)).toThrow('Illegal invocation');
    }
    const Constructor = Class as unknown as new () => unknown;
    expect(() => new Constructor()).toThrow('Supervisor has no public constructor: use ');
  });
});

test('what a program has open is told by its thread and fd', async (context) => {
  const found: unknown[] = [];
  const { supervisor, ended } = launch(
    context,
    ['sh', '-c', 'exec 3<>/dev/kvm; exec 4<>/dev/kvm'],
    {
      opened: (call, thread) => {
        found.push([3, 0, 99].map((fd) => supervisor.findFile(thread, fd)));
        supervisor.install(call, kvmFile);
      },
    },
  );
  await ended;
  const [first, second] = found as (number | undefined)[][];
  expect(first?.[0]).toBeUndefined();
  expect(second).toEqual([1, 0, undefined]);
});
