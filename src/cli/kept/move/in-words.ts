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
  const how = verdict === 'completed' ? 'moved' : 'moved, and is not as it was';
  return `${how}: process ${from.pid} → ${to.pid}${versions}${standing(blackoutMs)}`;
}

/** Another keeper of a TD that QEMU has takes nothing from the guest. */
function standing(blackoutMs: number | null): string {
  if (blackoutMs === null) return '';
  return blackoutMs === 0
    ? '; its vCPUs ran on'
    : `; no vCPU ran for ${formatDuration(blackoutMs)}`;
}
