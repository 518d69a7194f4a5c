/** From the name of a shared host to the host itself: as a program on it, or as who looks after it. */
import { TdctlError } from '../../errors/index.ts';
import { socketPath } from '../../files/socket-path.ts';
import { sharedHost } from '../../host/identity.ts';
import type { HostOperator, SharedHost } from '../../host/shared/index.ts';
import { noSuchHost } from '../../keeper/hosts/host-directory.ts';
import { sharedCgroupVariable } from '../../keeper/hosts/operations.ts';
import { type FoundHost, readHost } from '../../keeper/hosts/read-hosts.ts';
import { openStateDirectory } from '../../keeper/state-directory.ts';
import { version } from '../version.ts';

type Environment = NodeJS.ProcessEnv;

/** @throws TdctlError TDCTL_E_NOT_FOUND where there is none, or its process has ended. */
export async function findHost(name: string, env: Environment): Promise<FoundHost> {
  const found = readHost(await openStateDirectory(env, { create: false }), name);
  if (found === undefined) throw noSuchHost(name);
  return found;
}

/** Joins it as a program: `--host on:NAME`. @throws TdctlError as openSharedHost() says. */
export async function joinShared(name: string, env: Environment): Promise<SharedHost> {
  const { openSharedHost } = await import('../../host/shared/index.ts');
  const cgroup = env[sharedCgroupVariable];
  return reachSocket(name, 'socket', env, (path) =>
    openSharedHost(path, { name: sharedHost(name), tdctl: version(), cgroup }),
  );
}

/** @throws TdctlError as openSharedHost() says. */
export async function operateHost(name: string, env: Environment): Promise<HostOperator> {
  const { openHostOperator } = await import('../../host/shared/index.ts');
  return reachSocket(name, 'socket', env, (path) => openHostOperator(path, sharedHost(name)));
}

/** The machine that it has, as `--host` and `--kernel` name it: to simulate its like. */
export async function machineOf(
  name: string,
  env: Environment,
): Promise<{ readonly host: string; readonly kernel: string }> {
  const { record } = await findHost(name, env);
  if (record === undefined) throw isLost(name);
  return { host: record.machine, kernel: record.kernel };
}

async function serving(name: string, env: Environment): Promise<FoundHost> {
  const found = await findHost(name, env);
  if (found.state === 'lost') throw isLost(name);
  if (found.state === 'stopped') throw isStopped(found);
  return found;
}

function isStopped({ name, record }: FoundHost): TdctlError {
  const pid = record?.server.pid;
  return new TdctlError({
    code: 'TDCTL_E_NOT_ANSWERING',
    op: 'ask a shared host',
    message: `the process of ${name}, ${pid}, was stopped by a signal (SIGSTOP), and hears nothing`,
    hint: `\`kill -CONT ${pid}\` lets it go on`,
  });
}

function isLost(name: string): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_NOT_FOUND',
    op: 'look for a shared host by its name',
    message: `the process of the shared host ${name} was killed, and what was on it is gone`,
    hint: `\`tdctl host start ${name}\` starts it anew; \`tdctl host stop ${name}\` removes what is left of it`,
  });
}

/** @param open gets a path by which the socket can be connected to, however long its own is. */
export async function reachSocket<Opened>(
  name: string,
  socket: 'socket' | 'fds',
  env: Environment,
  open: (path: string) => Promise<Opened>,
): Promise<Opened> {
  const { files } = await serving(name, env);
  let reached: ReturnType<typeof socketPath>;
  try {
    reached = socketPath(files[socket]);
  } catch {
    throw noSuchHost(name);
  }
  try {
    return await open(reached.path);
  } finally {
    reached.release();
  }
}
