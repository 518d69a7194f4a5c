/** Starts a keeper as a transient unit, and waits until its TD is what it shall be. */
import { keeperCommand, type Launched } from '../launch.ts';
import type { KeepRequest } from '../request.ts';
import { stateDirectoryPath, stateDirectoryVariable } from '../state-directory.ts';
import { countsMemory, memoryMaxBytes, tasksMax } from './limits.ts';
import { startUnit } from './manager.ts';
import { type UnitOptions, unitName } from './unit.ts';

export interface UnitLaunch {
  readonly env: NodeJS.ProcessEnv;
  readonly manager: UnitOptions['manager'];
  /** Null where it is not known, and so not bounded. */
  readonly memoryBytes: number | null;
  /** All that are created. */
  readonly vcpus: number;
  readonly signal?: AbortSignal | undefined;
}

/** @throws TdctlError as startUnit(). */
export async function launchUnit(
  request: KeepRequest,
  { env, manager, memoryBytes, vcpus, signal }: UnitLaunch,
): Promise<Omit<Launched, 'pid'>> {
  const { name, start } = request;
  await startUnit(
    {
      ...{ name, manager, command: keeperCommand(name) },
      input: JSON.stringify({ ...request, unit: unitName(name) }),
      env: { ...handedOn(env), [stateDirectoryVariable]: stateDirectoryPath(env) },
      memoryMaxBytes:
        memoryBytes !== null && countsMemory() ? memoryMaxBytes({ memoryBytes, vcpus }) : undefined,
      tasksMax: tasksMax({ vcpus }),
    },
    signal,
  );
  return { reached: start ? 'running' : 'runnable' };
}

/** The rest of an environment is whoever's who asks, and stands in the unit for all to read. */
const names = /^(?:PATH|HOME|LANG|TDCTL_\w+|XDG_\w+)$/;

function handedOn(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      names.test(name) && value !== undefined ? [[name, value]] : [],
    ),
  );
}
