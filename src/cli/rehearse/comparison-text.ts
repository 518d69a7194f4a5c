import type { Comparison } from '../../rehearsal/index.ts';
import { columns } from '../output/table.ts';
import { formatDuration } from '../output/units.ts';

export const comparisonHeadings = [
  'kernel',
  'moves TDs',
  'comes to',
  'first refusal',
  'requests',
  'peak slots',
  'slots lost',
  'blackout',
  'late faults that lose the TD',
  'no slot to spare',
] as const;

export function comparisonCells(row: Comparison): string[] {
  const { refused, lateFaults, blackoutMs } = row;
  return [
    row.kernel,
    row.movesTds ? 'yes' : 'no',
    row.verdict,
    refused === undefined ? 'none' : `${refused.step}: ${refused.request} ${refused.errno}`,
    String(row.requests),
    String(row.peakSlots),
    String(row.slotsLost),
    blackoutMs === null ? 'none' : formatDuration(blackoutMs),
    lateFaults.played === 0 ? 'no move' : `${lateFaults.lost} of ${lateFaults.played}`,
    row.fullHost,
  ];
}

export function comparisonText(rows: readonly Comparison[]): string {
  return columns([comparisonHeadings, ...rows.map(comparisonCells)], '');
}
