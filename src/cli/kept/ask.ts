/** Keepers that are asked, where a person does not take their files' word. */
import { TdctlError } from '../../errors/index.ts';
import { connectTd } from '../../keeper/client.ts';
import type { KeptTd } from '../../keeper/kept-td.ts';
import type { StateDirectory } from '../../keeper/state-directory.ts';

/** Enough for a process of a busy machine, and not so long that a list hangs on one that stands still. */
const deadlineMs = 250;

/** What its keeper says of the TD; where nobody answers what is known, and that it is not known whether it holds. */
export async function askKeeper(state: StateDirectory, td: KeptTd): Promise<KeptTd> {
  if (td.keeper === null || !td.keeper.lives) return td;
  try {
    const client = await connectTd(state, td.name, { deadlineMs });
    try {
      return await client.td();
    } finally {
      await client.close();
    }
  } catch (error) {
    if (!(error instanceof TdctlError)) throw error;
    return { ...td, state: 'unknown', notes: [...td.notes, error.message] };
  }
}
