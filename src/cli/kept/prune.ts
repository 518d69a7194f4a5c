/** `tdctl prune`: what is over is deleted, and a removal that was cut off is finished. */
import { errorData } from '../../errors/index.ts';
import type { KeptTd } from '../../keeper/kept-td.ts';
import { readKeptTds } from '../../keeper/kept-tds.ts';
import { type Pruned, pruneTds } from '../../keeper/removal.ts';
import { isOver } from '../../keeper/state.ts';
import { failureText } from '../failure.ts';
import type { CommandIo } from '../io.ts';
import type { Content } from '../output/contract/index.ts';
import { dataText, documentOf } from '../output/data.ts';
import { print } from '../output/print.ts';
import { count } from '../output/units.ts';
import type { KeptFormat } from './options.ts';
import { keptState } from './state-of.ts';

export interface PruneOptions {
  readonly dryRun?: boolean | undefined;
  readonly output: KeptFormat;
}

export async function prune(
  { dryRun, output }: PruneOptions,
  io: CommandIo,
  endWith: (exitCode: number) => void,
): Promise<void> {
  const state = await keptState(io);
  const due = readKeptTds(state).filter((td) => isOver(td.state));
  const pruned = dryRun === true ? wouldBe(due) : await pruneTds(state);
  if (output === 'json' || output === 'yaml') {
    const actions = actionsOf(pruned, due, dryRun === true);
    io.stdout.write(await dataText(documentOf('tdctl.TdActions', { actions }), output));
  } else {
    const word = dryRun === true ? 'would be deleted' : 'deleted';
    const line = (name: string) => (output === 'name' ? `${name}\n` : `${name}: ${word}\n`);
    io.stdout.write(pruned.removed.map(line).join(''));
    if (output === 'text') print(io, furtherText(pruned));
    for (const { error } of pruned.failed) {
      io.stderr.write(`${await failureText(error, { io, format: 'text' })}\n`);
    }
  }
  const codes = pruned.failed.map(({ error }) => error.exitCode);
  if (codes.length > 0) endWith(Math.max(...codes));
}

function wouldBe(due: readonly KeptTd[]): Pruned {
  return { removed: due.map(({ name }) => name), finished: 0, failed: [] };
}

function furtherText({ removed, finished, failed }: Pruned): string {
  if (finished > 0) return `${count(finished, 'removal')} that had been cut off ended\n`;
  return removed.length + failed.length === 0 ? 'nothing to do: no TD is over\n' : '';
}

type Action = Content<'tdctl.TdActions'>['actions'][number];

/** Of a dry run, nothing is done to any. */
function actionsOf(
  { removed, failed }: Pruned,
  due: readonly KeptTd[],
  isDry: boolean,
): readonly Action[] {
  const stateOf = (name: string) => due.find((td) => td.name === name)?.state ?? null;
  const verb = 'prune';
  return [
    ...removed.map(
      (name): Action => ({
        ...{ verb, name, error: null },
        result: isDry ? 'nothing-to-do' : 'changed',
        state: isDry ? stateOf(name) : null,
      }),
    ),
    ...failed.map(
      ({ name, error }): Action => ({
        ...{ verb, name, error: errorData(error) },
        result: 'failed',
        state: stateOf(name),
      }),
    ),
  ];
}
