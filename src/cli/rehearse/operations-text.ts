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

export function blackoutRows(blackouts: Run['blackouts']): string[][] {
  return alike(blackouts, ({ ms }) => formatDuration(ms)).map((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { td, hop, ms } = first;
    const last = group.at(-1);
    const others = group.length === 1 ? '' : ` to ${last?.td}, move ${last?.hop} (${group.length})`;
    return [sanitize(`blackout of ${td}, move ${hop}${others}`), formatDuration(ms)];
  });
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
