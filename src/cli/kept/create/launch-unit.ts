/** A keeper in a transient unit of systemd: it is followed by what it writes down, as no pipe leads to it. */
import { setTimeout as delay } from 'node:timers/promises';
import { TdctlError } from '../../../errors/index.ts';
import { endsLife } from '../../../keeper/api/verbs.ts';
import type { KeptTd } from '../../../keeper/kept-td.ts';
import { readKeptTd } from '../../../keeper/kept-tds.ts';
import type { Launched, LaunchOptions } from '../../../keeper/launch.ts';
import type { KeepRequest } from '../../../keeper/request.ts';
import type { StateDirectory } from '../../../keeper/state-directory.ts';
import { launchUnit, type UnitLaunch } from '../../../keeper/systemd/launch-unit.ts';
import { managerOf, thisMachine } from '../../../keeper/systemd/manager.ts';
import { tdFiles } from '../../../keeper/td-files.ts';
import type { ToldRecord } from '../../../keeper/told.ts';
import type { CommandIo } from '../../io.ts';
import { stepFailure } from '../../words.ts';
import { awaitFree } from '../await.ts';
import { JournalReader } from '../journal-reader.ts';
import { withOutlook } from '../outlook.ts';
import { takenDown } from '../taken-down.ts';

export type UnitWanted = Pick<UnitLaunch, 'manager' | 'memoryBytes' | 'vcpus'>;

/** @throws TdctlError TDCTL_E_HOST_UNSUPPORTED where there is no systemd. */
export function unitFor(
  { memoryBytes, vcpus }: Pick<KeptTd, 'memoryBytes' | 'vcpus'>,
  { env }: CommandIo,
): UnitWanted {
  return { manager: managerOf(thisMachine(env)), memoryBytes, vcpus: vcpus ?? mostVcpus };
}

const lookEveryMs = 50;
/** Of a TD whose number is not known: more than any host has. */
const mostVcpus = 4096;

/** Follows as `launchKeeper` does. @throws TdctlError what the TD ended with, or why systemd has no unit for it. */
export function launchInUnit(wanted: UnitWanted, state: StateDirectory) {
  return async (
    request: KeepRequest,
    { env, onEvent, onQueued, signal }: LaunchOptions,
  ): Promise<Omit<Launched, 'pid'>> => {
    const { name } = request;
    const lifeBefore = readKeptTd(state, name)?.life ?? 0;
    const journal = new JournalReader(tdFiles(state, name));
    journal.skip();
    const unit = launchUnit(request, { ...wanted, env, signal });
    const isThisLife = () => (readKeptTd(state, name)?.life ?? 0) > lifeBefore;
    let shown = '';
    let isQueued = false;
    let takenDownBy: string | undefined;
    const look = async () => {
      if (!isThisLife()) return;
      for (const record of journal.next()) {
        if (record.kind === 'event') onEvent?.(record.told);
        if (takenDownBy !== undefined) continue;
        if (record.kind === 'queued') isQueued = true;
        if (record.kind === 'unqueued') isQueued = false;
        if (record.kind === 'asked' && endsLife(record.verb)) takenDownBy = askedBy(record);
      }
      const read = readKeptTd(state, name);
      const [seen] = read === undefined ? [] : await withOutlook(state, [read]);
      const queue = seen?.queue && { position: seen.queue.position, of: seen.queue.of };
      if (queue && shown !== JSON.stringify(queue)) onQueued?.(queue);
      shown = JSON.stringify(queue ?? '');
    };
    try {
      return await followed(unit, look);
    } catch (error) {
      await look();
      const failed = isThisLife() ? readKeptTd(state, name)?.error : undefined;
      if (!(error instanceof TdctlError)) throw error;
      if (failed) throw stepFailure(failed);
      // What systemd says of a unit that was stopped is no news to whoever stopped it.
      if (takenDownBy === undefined) throw error;
      await awaitFree(state, name, signal ?? new AbortController().signal);
      throw takenDown({ request, by: takenDownBy, isQueued });
    }
  };
}

function askedBy({ verb, peer }: Extract<ToldRecord, { kind: 'asked' }>): string {
  return peer === null ? 'on request' : `\`tdctl ${verb}\``;
}

async function followed<Result>(unit: Promise<Result>, look: () => Promise<void>): Promise<Result> {
  let isSettled = false;
  const settled = unit.finally(() => {
    isSettled = true;
  });
  settled.catch(() => undefined);
  while (!isSettled) {
    await look();
    await Promise.race([settled.catch(() => undefined), delay(lookEveryMs)]);
  }
  const result = await settled;
  await look();
  return result;
}
