import { TdctlError } from '../errors/index.ts';

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, min: 60_000, h: 3_600_000 };
/** No timer of Node goes further (TIMEOUT_MAX in lib/internal/timers.js). */
const longestMs = 2 ** 31 - 1;

/** `3s` in milliseconds, as given to the option. @throws TdctlError TDCTL_E_USAGE. */
export function durationOf(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined;
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|min|h)$/.exec(text) ?? [];
  const value = Number(number) * (unitMs[unit] ?? Number.NaN);
  if (value > 0 && value <= longestMs) return value;
  throw new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: 'read an option',
    place: `${option} ${text}`,
    message: `\`${text}\` is no time from 1ms to 596h`,
    hint: `give ${option} a number with its unit: 500ms, 3s, 5min or 2h`,
  });
}
