/** A kept TD in the words of the tables. */
import type { KeptTd } from '../../keeper/kept-td.ts';
import { formatDuration } from '../output/units.ts';

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
] as const;

/** In the two largest units: `3 d 4 h`, `12 min`, `5 s`. */
export function age(milliseconds: number): string {
  const at = units.findIndex(([, ms]) => milliseconds >= ms);
  const [unit, ms] = units[at] ?? units[3];
  const next = at === -1 ? undefined : units[at + 1];
  const whole = Math.floor(milliseconds / ms);
  const rest = next === undefined ? 0 : Math.floor((milliseconds % ms) / next[1]);
  // Seconds beside minutes change faster than anybody reads.
  return rest === 0 || next === undefined || unit === 'min'
    ? `${whole} ${unit}`
    : `${whole} ${unit} ${rest} ${next[0]}`;
}

/** The state, and how far it is where that is known: `releasing, 2 min left (est.)`. */
export function stateInWords({ state, leftMs, queue }: KeptTd): string {
  if (leftMs !== null) return `${state}, ${roughly(leftMs)} left (est.)`;
  if (queue === null) return state;
  const { position, of, forecastMs } = queue;
  const forecast = forecastMs === null ? '' : `, about ${roughly(forecastMs)}`;
  return `${state}, ${position} of ${of}${forecast}`;
}

/** An estimate has no fractions. */
export function roughly(milliseconds: number): string {
  return milliseconds < 1000 ? formatDuration(milliseconds) : age(milliseconds);
}

export function keeperInWords({ keeper }: KeptTd): string {
  if (keeper === null) return '-';
  return keeper.lives ? `${keeper.pid}` : `${keeper.pid} (gone)`;
}
