/** What came of the operations and of the moves of a rehearsal: all of them, with those that are alike in one line. */
import { cameTo, type RehearsalReport } from '../../rehearsal/index.ts';
import type { paint } from '../output/paint.ts';
import { sanitize } from '../output/sanitize.ts';
import { formatDuration } from '../output/units.ts';

type Run = RehearsalReport['run'];
type Colors = ReturnType<typeof paint>;

/** With as many TDs as this, one line for each says less than one for all of them. */
const mostAlike = 4;

export function operationLines(results: Run['results'], colors: Colors): string[] {
  return alike(results, (reported) => {
    const [verb = ''] = reported.operation.split(' ');
    const { expected = '', error } = reported;
    return [verb, cameTo(reported), expected, error?.message ?? ''].join('\n');
  }).map((group) => {
    const [first] = group;
    if (first === undefined) return '';
    const { operation, result, error, expected } = first;
    const word = cameTo(first);
    const mark =
      result === 'done' ? colors.green('✓') : result === 'skipped' ? '‒' : colors.red('✗');
    const wanted = expected === undefined || expected === word ? '' : ` (expected ${expected})`;
    const reason = error ? `      ${sanitize(error.message)}\n` : '';
    const last = group.at(-1)?.operation.replace(/^\S+ /, '');
    const others = group.length === 1 ? '' : ` to ${last} (${group.length})`;
    return `  ${mark} ${sanitize(operation + others)}: ${word}${wanted}\n${reason}`;
  });
}

/** So many moves are told one by one; of more, the row is about all of them, and the data has each. */
const mostBlackouts = 10;

export function blackoutRows(blackouts: Run['blackouts']): string[][] {
  if (blackouts.length <= mostBlackouts) {
    return blackouts.map(({ td, hop, ms, parts = [], brownoutMs }) => [
      sanitize(`blackout of ${td}, move ${hop}`),
      `${formatDuration(ms)}${partsOf(parts)}${brownoutText(brownoutMs)}`,
    ]);
  }
  const [longest, ...others] = blackouts.toSorted((one, other) => other.ms - one.ms);
  const shortest = others.at(-1);
  if (longest === undefined || shortest === undefined) return [];
  const range = `${formatDuration(shortest.ms)} to ${formatDuration(longest.ms)}`;
  const where = sanitize(`the longest: ${longest.td}, move ${longest.hop}`);
  return [[`blackouts of all ${blackouts.length} moves`, `${range} (${where})`]];
}

function partsOf(parts: readonly { readonly step: string; readonly ms: number }[]): string {
  if (parts.length === 0) return '';
  return ` (${parts.map(({ step, ms }) => `${step} ${formatDuration(ms)}`).join(', ')})`;
}

function brownoutText(ms: number | undefined): string {
  return ms === undefined ? '' : `; every vCPU counts again after ${formatDuration(ms)}`;
}

/** Neighbours of one kind, where there are so many that it pays. */
function alike<Item>(items: readonly Item[], kindOf: (item: Item) => string): Item[][] {
  const groups: { kind: string; items: Item[] }[] = [];
  for (const item of items) {
    const kind = kindOf(item);
    const last = groups.at(-1);
    if (last?.kind === kind) last.items.push(item);
    else groups.push({ kind, items: [item] });
  }
  return groups.flatMap(({ items: group }) =>
    group.length < mostAlike ? group.map((item) => [item]) : [group],
  );
}
