/** The slot ledger of a host for a person: a row for each who has slots. */
import type { KeptSlot, SlotLedger } from '../../keeper/slot-ledger.ts';
import { paint } from './paint.ts';
import { sanitize } from './sanitize.ts';
import { columns } from './table.ts';
import { count, formatDuration } from './units.ts';

/** So many of each are listed; the others are summed up. */
const mostListed = 12;

export function ledgerText(ledger: SlotLedger | null, colors: boolean): string {
  const { dim, yellow } = paint(colors);
  if (ledger === null) return '  who has them is not known: the kept TDs cannot be read\n';
  const { countedFor, ours, draining, kept, foreign, foreignProcesses, suspectedLeaks } = ledger;
  if (countedFor === 'each keeper') return ownMachines(kept, dim);
  const number = (value: number | null) => (value === null ? 'not known' : String(value));
  const leaks = number(suspectedLeaks);
  return [
    columns([
      ['kept by tdctl', String(ours)],
      ['being taken down', String(draining)],
      ['of other processes', number(foreign)],
      ['suspected leaks', suspectedLeaks ? yellow(leaks) : leaks],
    ]),
    ...listed(kept.map(keptRow)),
    ...listed(
      (foreignProcesses ?? []).map(({ pid, command, vms }) => [
        sanitize(command),
        `pid ${pid}`,
        `${count(vms, 'VM')}, TDs or others`,
      ]),
    ),
  ].join('');
}

function ownMachines(kept: readonly KeptSlot[], dim: (text: string) => string): string {
  if (kept.length === 0) return '';
  const note =
    'TDs kept on such hosts have a simulated machine each, and take none of these slots:';
  return [`  ${dim(note)}\n`, ...listed(kept.map(keptRow))].join('');
}

function keptRow({ name, state, keeperPid, sinceMs, leftMs }: KeptSlot): string[] {
  const left = leftMs === null ? '' : `, ${formatDuration(leftMs)} left (est.)`;
  const since = sinceMs === null ? '' : ` for ${formatDuration(sinceMs)}`;
  return [name, keeperPid === null ? '' : `pid ${keeperPid}`, `${state}${since}${left}`];
}

function listed(rows: readonly string[][]): string[] {
  if (rows.length === 0) return [];
  const more = rows.length - mostListed;
  const shown = rows.slice(0, mostListed);
  return [columns(more > 0 ? [...shown, [`and ${more} more`, '', '']] : shown, '    ')];
}
