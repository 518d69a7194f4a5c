/** The move of a TD in one line. */
import type { MoveReport } from '../../../keeper/move/report.ts';
import { formatDuration } from '../../output/units.ts';

export function moveInWords({
  fromKeeper: from,
  toKeeper: to,
  blackoutMs,
  verdict,
}: MoveReport): string {
  const versions = from.tdctl === to.tdctl ? '' : `, tdctl ${from.tdctl} → ${to.tdctl}`;
  const stood = blackoutMs === null ? '' : `; no vCPU ran for ${formatDuration(blackoutMs)}`;
  const how = verdict === 'completed' ? 'moved' : 'moved, and is not as it was';
  return `${how}: process ${from.pid} → ${to.pid}${versions}${stood}`;
}
