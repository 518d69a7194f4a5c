import type { SlotHolder } from '../../diagnosis/doctor/index.ts';
import { paint } from './paint.ts';
import { sanitize } from './sanitize.ts';
import { columns } from './table.ts';
import { count } from './units.ts';

export interface SlotReport {
  readonly total: number;
  readonly used: number;
  readonly free: number;
  /** What misc.max of this process's cgroups leaves; null: no limit is known. */
  readonly cgroupRoom: number | null;
  /** Null where the host cannot tell. */
  readonly holders: readonly SlotHolder[] | null;
  /** Signs that slots are lost; empty where there are none. */
  readonly leakEvidence: readonly string[];
}

/** So many holders are listed; the others are summed up. */
const maxHolders = 12;

export function slotText(report: SlotReport | null, colors: boolean): string {
  const { dim, yellow } = paint(colors);
  if (report === null) return '  not known: the misc cgroup controller is not there to ask\n';
  const { total, used, free, cgroupRoom, holders, leakEvidence } = report;
  return [
    columns([
      ['total', String(total)],
      ['in use', String(used)],
      ['free', String(free)],
      ...(cgroupRoom === null ? [] : [['misc.max of this cgroup leaves', String(cgroupRoom)]]),
    ]),
    ...(holders === null || holders.length === 0
      ? []
      : [`  ${dim('held by')}\n`, holderText(holders)]),
    ...leakEvidence.map((sign) => `  ${yellow('leaked?')} ${sanitize(sign)}\n`),
  ].join('');
}

function holderText(holders: readonly SlotHolder[]): string {
  const shown = holders.slice(0, maxHolders);
  const rest = holders.slice(maxHolders);
  const rows = shown.map(({ slots, processes, cgroup }) => [
    String(slots),
    processes === null
      ? 'processes not known'
      : processes === 1
        ? '1 process'
        : `${processes} processes`,
    sanitize(cgroup),
  ]);
  const restSlots = rest.reduce((sum, { slots }) => sum + slots, 0);
  const more =
    rest.length === 0
      ? []
      : [[String(restSlots), '', `in ${count(rest.length, 'further cgroup')}`]];
  return columns([...rows, ...more], '    ');
}
