/** What became of a TD, as `list` tells it, and whether somebody is known who did that. */
import type { Verdict } from '../../machines/intra-host-migration/index.ts';
import { isOver } from '../keeper/state.ts';
import type { Fate, OperationResult, Violation } from '../rehearsal/index.ts';
import { violation } from '../rehearsal/index.ts';
import type { Killing } from './deaths.ts';
import type { Company } from './operations.ts';
import type { PlayedTd } from './played-td.ts';
import { atRest } from './rest.ts';

type Seen = Pick<PlayedTd, 'name' | 'fate' | 'keepers' | 'listed' | 'everyKeeper'>;

export function becomes(
  td: Seen,
  {
    killings,
    verdict,
  }: { readonly killings: readonly Killing[]; readonly verdict: Verdict | undefined },
): Fate {
  if (td.keepers === 0 || (td.fate !== 'alive' && td.fate !== 'planned')) return td.fate;
  const state = td.listed?.state;
  if (killings.some(({ dies }) => dies === 'host')) return td.fate === 'alive' ? 'died' : 'failed';
  if (state !== undefined && !isOver(state)) return 'alive';
  if (state === 'destroyed') return 'stopped';
  if (killings.some((killing) => isOfKeeper(td, killing))) return 'died';
  return td.fate === 'alive' && verdict === 'lost' ? 'lost' : 'failed';
}

/**
 * A TD that was whole goes with the process whose VM has it, and with no other one. What the kernel loses in a move
 * without anybody's death is the kernel's, and told as such.
 */
export function lostByNobody(td: Seen, killings: readonly Killing[]): readonly Violation[] {
  const { name, fate } = td;
  if (fate === 'alive' || fate === 'stopped') return [];
  const ofIt = killings.filter((killing) => killing.dies === 'host' || isOfKeeper(td, killing));
  if (fate === 'lost' && ofIt.length === 0) return [];
  if (ofIt.some((killing) => tookAlong(name, killing))) return [];
  const why = td.listed?.error?.message ?? td.listed?.notes[0] ?? 'nobody says why';
  const detail = `${name} is over, and the process whose VM had it was not killed (${why})`;
  return [violation('owner-or-verdict', detail)];
}

function isOfKeeper({ everyKeeper }: Seen, { pids }: Killing): boolean {
  return everyKeeper.some(({ pid }) => pids.has(pid));
}

/** In a teardown no VM can run it any more, and whoever dies then has nothing to take along. */
function tookAlong(td: string, { dies, pids, owners }: Killing): boolean {
  const owner = owners.get(td);
  return dies === 'host' || owner === undefined || pids.has(owner);
}

/** The word of its keeper is not believed but tried: every vCPU leaves KVM_RUN and is entered again. */
export async function keptSourceRuns(
  { commands, tds, signal }: Company,
  { operation, verdict }: OperationResult,
): Promise<readonly Violation[]> {
  if (operation.do !== 'migrate' || verdict !== 'sourceKept') return [];
  const td = tds.get(operation.td);
  if (td === undefined || td.fate !== 'alive' || !td.ranBefore) return [];
  for (const [verb, state] of [
    ['pause', 'paused'],
    ['resume', 'running'],
  ] as const) {
    const refused = await commands.act(td, verb);
    if (refused === null) await atRest(td, { wanted: [state], signal });
    const found = td.listed?.state;
    if (refused === null && found === state) continue;
    const why = refused === null ? '' : `: ${refused.message}`;
    const detail = `${td.name} was kept, and is ${found} after ${verb}${why}`;
    return [violation('kept-source-runs', detail)];
  }
  return [];
}
