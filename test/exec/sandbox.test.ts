/** A sandbox that forbids a call which supervision needs: a reason before the command, never a hang. */
import { spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { describe, expect, type TestContext, test } from 'vitest';
import { loadAddon } from '../../native/index.ts';
import { builtMain } from '../support/built.ts';
import { program } from './programs.ts';

/** By their numbers on x86-64; `argument` is the index and the value of one that the call has. */
interface Call {
  readonly name: string;
  readonly number: number;
  readonly argument?: readonly [index: number, value: number];
  /** Where it is not the stage `call` with this name. */
  readonly told?: object;
}

const calls: readonly Call[] = [
  { name: 'pidfd_open', number: 434 },
  { name: 'pidfd_send_signal', number: 424 },
  { name: 'eventfd2', number: 290 },
  { name: 'epoll_create1', number: 291 },
  { name: 'inotify_init1', number: 294 },
  { name: 'inotify_add_watch', number: 254 },
  { name: 'memfd_create', number: 319 },
  { name: 'process_vm_readv', number: 310 },
  { name: 'process_vm_writev', number: 311 },
  { name: 'tgkill', number: 234 },
  { name: 'close_range', number: 436 },
  { name: 'ppoll', number: 271 },
  { name: 'waitid', number: 247 },
  { name: 'socketpair', number: 53 },
  { name: 'clone', number: 56, told: { stage: 'fork' } },
  { name: 'setsid', number: 112 },
  { name: 'prctl(PR_SET_CHILD_SUBREAPER)', number: 157, argument: [0, 36] },
  { name: 'prctl(PR_SET_PDEATHSIG)', number: 157, argument: [0, 1] },
  {
    name: 'prctl(PR_SET_NO_NEW_PRIVS)',
    number: 157,
    argument: [0, 38],
    told: { stage: 'no_new_privs' },
  },
  { name: 'seccomp', number: 317, told: { stage: 'filter' } },
  // Its request of user notification, SECCOMP_IOCTL_NOTIF_ADDFD.
  { name: 'ioctl', number: 16, argument: [1, 0x4018_2103], told: { stage: 'install' } },
  { name: 'execve', number: 59, told: { stage: 'exec' } },
];

const errnos = ['EPERM', 'ENOSYS'] as const;

/** Launches `true`, by itself, and says what came of it. */
const script = `
  const addon = require(process.env.TDCTL_TESTED_ADDON);
  const handlers = new Proxy({}, { get: (_, name) => (...args) => {
    if (name === 'exited') console.log(JSON.stringify({ exited: args }));
  } });
  const { failed } = addon.Supervisor.launch({ command: ['true'], systemAnswers: [] }, handlers);
  if (failed !== undefined) console.log(JSON.stringify(failed));`;

function environment(context: TestContext, { number, argument }: Call, code: string) {
  const native = loadAddon();
  return {
    ...process.env,
    NO_COLOR: '1',
    LD_PRELOAD: program(context, 'forbid', { flags: ['-shared', '-fPIC'] }),
    TDCTL_TESTED_ADDON: native.available ? native.path : '',
    TDCTL_FORBID: [number, errnoOf(code), ...(argument ?? [])].join(' '),
  };
}

const errnoOf = (code: string) => constants.errno[code as keyof typeof constants.errno];

/** More than any machine needs; a hang ends here. */
const bound = { encoding: 'utf8', timeout: 240_000, killSignal: 'SIGKILL' } as const;

describe.each(errnos)('with %s', (code) => {
  test.for(calls)('a sandbox that forbids $name is told of', (call, context) => {
    const env = environment(context, call, code);
    const { stdout, stderr, status } = spawnSync(process.execPath, ['-e', script], {
      ...bound,
      env,
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const told = call.told ?? { stage: 'call', call: call.name };
    expect(JSON.parse(stdout)).toEqual({ ...told, errno: errnoOf(code), code });
  });

  test('kcmp is not needed: a child of vfork counts as another address space', (context) => {
    const env = environment(context, { name: 'kcmp', number: 312 }, code);
    const { stdout, status } = spawnSync(process.execPath, ['-e', script], { ...bound, env });
    expect({ status, told: JSON.parse(stdout) }).toEqual({
      status: 0,
      told: { exited: ['code', 0] },
    });
  });
});

test('tdctl ends with exit code 8 and one sentence that names the call', (context) => {
  const env = environment(context, { name: 'pidfd_open', number: 434 }, 'EPERM');
  const args = [builtMain(), 'exec', '--', 'echo', 'begun'];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { ...bound, env });
  expect({ status, stdout }).toEqual({ status: 8, stdout: '' });
  expect(stderr).toMatch(
    /^error: echo: pidfd_open fails, which supervision needs: a sandbox forbids it, or this Linux lacks it \[TDCTL_E_HOST_UNSUPPORTED\]\n +the kernel says: EPERM\nhint: /,
  );
});

test('a signal that comes while the command starts is for the command, and not for tdctl', (context) => {
  const native = loadAddon();
  const counting = `let heard = 0; process.on('SIGUSR2', () => { heard += 1; });
    const addon = require(process.env.TDCTL_TESTED_ADDON);
    let exited;
    const handlers = new Proxy({}, { get: (_, name) => (...args) => {
      if (name === 'exited') exited = args;
      // A signal that came to this process by mistake came before.
      if (name === 'ended') setImmediate(() => console.log(JSON.stringify({ exited, heard })));
    } });
    addon.Supervisor.launch({ command: ['sleep', '1000000'], systemAnswers: [] }, handlers);`;
  const env = {
    ...process.env,
    LD_PRELOAD: program(context, 'signal-at-fork', { flags: ['-shared', '-fPIC'] }),
    TDCTL_TESTED_ADDON: native.available ? native.path : '',
  };
  const { stdout } = spawnSync(process.execPath, ['-e', counting], { ...bound, env });
  const { SIGUSR2 } = constants.signals;
  expect(JSON.parse(stdout)).toEqual({ exited: ['signal', SIGUSR2], heard: 0 });
});
