/** What is to come of kept TDs is reckoned only where something is: a list of those that run loads nothing for it. */
import type { KeptTd } from '../../keeper/kept-td.ts';
import type { KeptState } from '../../keeper/state.ts';
import type { StateDirectory } from '../../keeper/state-directory.ts';

const onTheirWay: readonly KeptState[] = ['queued', 'releasing', 'draining'];

export async function withOutlook(
  state: StateDirectory,
  tds: readonly KeptTd[],
): Promise<readonly KeptTd[]> {
  if (!tds.some((td) => onTheirWay.includes(td.state))) return tds;
  const outlook = await import('../../keeper/outlook.ts');
  return outlook.withOutlook(state, tds);
}
