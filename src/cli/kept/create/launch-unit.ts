/** A keeper in a transient unit of systemd: it is followed by what it writes down, as no pipe leads to it. */
import { setTimeout as delay } from 'node:timers/promises';
import { TdctlError } from '../../../errors/index.ts';
import type { KeptTd } from '../../../keeper/kept-td.ts';
import { readKeptTd } from '../../../keeper/kept-tds.ts';
import { keeperCommand, type LaunchOptions } from '../../../keeper/launch.ts';
import type { Reached } from '../../../keeper/progress.ts';
import type { KeepRequest } from '../../../keeper/request.ts';
import type { StateDirectory } from '../../../keeper/state-directory.ts';
import { stateDirectoryVariable } from '../../../keeper/state-directory.ts';
import { countsMemory, memoryMaxBytes, tasksMax } from '../../../keeper/systemd/limits.ts';
import { managerOf, startUnit, thisMachine } from '../../../keeper/systemd/manager.ts';
import type { UnitOptions } from '../../../keeper/systemd/unit.ts';
import { tdFiles } from '../../../keeper/td-files.ts';
import type { CommandIo } from '../../io.ts';
import { stepFailure } from '../../words.ts';
import { JournalReader } from '../journal-reader.ts';

export type UnitWanted = Pick<UnitOptions, 'manager' | 'memoryMaxBytes' | 'tasksMax'>;

/** @throws TdctlError TDCTL_E_HOST_UNSUPPORTED where there is no systemd. */
export function unitFor(
  { memoryBytes, vcpus }: Pick<KeptTd, 'memoryBytes' | 'vcpus'>,
  { env }: CommandIo,
): UnitWanted {
  const most = vcpus ?? mostVcpus;
  return {
    manager: managerOf(thisMachine(env)),
    // What is not known is not bounded.
    memoryMaxBytes:
      memoryBytes !== null && countsMemory()
        ? memoryMaxBytes({ memoryBytes, vcpus: most })
        : undefined,
    tasksMax: tasksMax({ vcpus: most }),
  };
}

const lookEveryMs = 50;
/** Of a TD whose number is not known: more than any host has. */
const mostVcpus = 4096;

/** Follows as `launchKeeper` does. @throws TdctlError what the TD ended with, or why systemd has no unit for it. */
export function launchUnit(wanted: UnitWanted, state: StateDirectory) {
  return async (
    request: KeepRequest,
    { onEvent, onQueued, signal }: LaunchOptions,
  ): Promise<{ readonly reached: Reached }> => {
    const { name, start } = request;
    const lifeBefore = readKeptTd(state, name)?.life ?? 0;
    const journal = new JournalReader(tdFiles(state, name));
    journal.skip();
    const unit = startUnit(
      {
        ...wanted,
        name,
        command: keeperCommand(name),
        input: JSON.stringify(request),
        env: { [stateDirectoryVariable]: state.path },
      },
      signal,
    );
    const isThisLife = () => (readKeptTd(state, name)?.life ?? 0) > lifeBefore;
    let shown = '';
    const look = () => {
      if (!isThisLife()) return;
      for (const record of journal.next()) if (record.kind === 'event') onEvent?.(record.event);
      const queue = readKeptTd(state, name)?.queue;
      if (queue && shown !== JSON.stringify(queue)) onQueued?.(queue);
      shown = JSON.stringify(queue ?? '');
    };
    try {
      await followed(unit, look);
    } catch (error) {
      look();
      const failed = isThisLife() ? readKeptTd(state, name)?.error : undefined;
      throw failed && error instanceof TdctlError ? stepFailure(failed) : error;
    }
    return { reached: start ? 'running' : 'runnable' };
  };
}

async function followed(unit: Promise<void>, look: () => void): Promise<void> {
  let isSettled = false;
  const settled = unit.finally(() => {
    isSettled = true;
  });
  settled.catch(() => undefined);
  while (!isSettled) {
    look();
    await Promise.race([settled.catch(() => undefined), delay(lookEveryMs)]);
  }
  await settled;
  look();
}
