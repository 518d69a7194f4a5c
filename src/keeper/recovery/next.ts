/** The keeper that a TD was to move to, by what it has left in the directory of the TD. */
import { isSameProcess, type KeeperIdentity } from '../identity.ts';
import { readJournal } from '../journal/read.ts';
import { readNextStatus } from '../move/next-status.ts';
import { presenceOf, type Vantage } from '../presence.ts';
import { tdFileNames } from '../td-files.ts';
import type { NextKeeper } from './evidence.ts';

/** @param keeper is the one of the status, which the next one is once it has the TD. */
export function nextKeeper(
  directory: string,
  { keeper, from }: { readonly keeper: KeeperIdentity; readonly from: Vantage },
): NextKeeper | undefined {
  const next = readNextStatus(`${directory}/${tdFileNames.nextStatus}`)?.keeper;
  if (next === undefined || isSameProcess(next, keeper)) return undefined;
  const presence = presenceOf(next, from);
  const { pid } = next;
  if (presence === 'lives' || presence === 'stopped') return { pid, found: presence };
  return { pid, found: foundDead(`${directory}/${tdFileNames.nextJournal}`) };
}

function foundDead(journal: string): NextKeeper['found'] {
  const { records } = readJournal(journal);
  const hasArrived = records.some(
    (record) => record.kind === 'chart' && record.event.type === 'td.arrived',
  );
  if (hasArrived) return 'diedWithTd';
  const hasBegun = records.some((record) => record.kind === 'begins' && record.step === 'moving');
  return hasBegun ? 'diedMoving' : 'diedBefore';
}
