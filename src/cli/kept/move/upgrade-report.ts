/** What came of an upgrade: a line for each TD, what it took of all, and the same as data. */
import { errorData } from '../../../errors/index.ts';
import type { KeptTd } from '../../../keeper/kept-td.ts';
import type { MoveReport } from '../../../keeper/move/report.ts';
import type { Content } from '../../output/contract/index.ts';
import { count, formatDuration } from '../../output/units.ts';
import { asTold } from '../actions.ts';
import { moveInWords } from './in-words.ts';
import type { TdctlAt } from './tdctl-at.ts';

export interface Upgraded {
  readonly name: string;
  readonly result: 'moved' | 'nothing-to-do' | 'failed' | 'not-tried';
  /** As it was looked at last. */
  readonly td?: KeptTd | undefined;
  /** Why there was nothing to do. */
  readonly words?: string | undefined;
  readonly report?: MoveReport | undefined;
  /** Of one that was moved, too: it is with the next keeper, and not all is as it was. */
  readonly error?: unknown;
}

export function lineOf({ words = '', report }: Upgraded): string {
  return report === undefined ? words : moveInWords(report);
}

/** Two lines at most: how many have moved and what it cost them, and who was not tried. */
export function summaryOf(done: readonly Upgraded[], { tdctl }: TdctlAt): string {
  if (done.length === 0) return 'nothing to do: no TDs are kept\n';
  const moved = done.filter(({ result }) => result === 'moved');
  const worst = worstOf(done);
  const cost =
    worst === undefined
      ? ''
      : `; no vCPU ran for at most ${formatDuration(worst.blackoutMs)} (${worst.name})`;
  const lines = [`${moved.length} of ${count(done.length, 'TD')} moved to tdctl ${tdctl}${cost}`];
  const notTried = done.filter(({ result }) => result === 'not-tried').map(({ name }) => name);
  if (notTried.length > 0) lines.push(`not tried: ${notTried.join(', ')}`);
  return `${lines.join('\n')}\n`;
}

export function contentOf(
  done: readonly Upgraded[],
  { tdctl, program }: TdctlAt,
): Content<'tdctl.TdUpgrade'> {
  return {
    toTdctl: tdctl,
    program,
    items: done.map(({ name, result, report, td, error }) => ({
      name,
      result,
      state: td?.state ?? null,
      fromKeeper: report?.fromKeeper ?? null,
      toKeeper: report?.toKeeper ?? null,
      blackoutMs: report?.blackoutMs ?? null,
      error: error === undefined ? null : errorData(asTold(error)),
    })),
    movedCount: done.filter(({ result }) => result === 'moved').length,
    worstBlackoutMs: worstOf(done)?.blackoutMs ?? null,
  };
}

function worstOf(done: readonly Upgraded[]) {
  return done
    .flatMap(({ name, report }) =>
      report === undefined || report.blackoutMs === null
        ? []
        : [{ name, blackoutMs: report.blackoutMs }],
    )
    .sort((one, other) => other.blackoutMs - one.blackoutMs)[0];
}
