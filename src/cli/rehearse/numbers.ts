import { TdctlError } from '../../errors/index.ts';

/** @throws TdctlError TDCTL_E_USAGE naming the option. */
export function wholeNumber(
  text: string,
  { option, from, to }: { readonly option: string; readonly from: number; readonly to: number },
): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= from && value <= to) return value;
  throw new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: 'read an option',
    place: `${option} ${text}`,
    message: `\`${text}\` is no whole number from ${from} to ${to}`,
    hint: `give ${option} such a number`,
  });
}
