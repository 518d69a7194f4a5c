/** docs/migration-comparison.md, which this command makes itself. */

import { shellWord } from '../../documents/shell-word.ts';
import type { Comparison } from '../../rehearsal/index.ts';
import { sanitize } from '../output/sanitize.ts';
import { comparisonCells, comparisonHeadings } from './comparison-text.ts';

export function comparisonPage(rows: readonly Comparison[], file: string): string {
  const line = (cells: readonly string[]) => `| ${cells.map(escaped).join(' | ')} |`;
  return [
    '# Moving a TD to another VM, under every kernel ABI',
    '',
    `Made by ${codeSpan(`tdctl rehearse ${shellWord(file)} --compare all -o markdown`)}; do not edit. One TD is built, moved`,
    "once and taken down, with tdctl's own checks left out, so that each kernel answers for itself. All",
    'of it is simulated; docs/kernels.md says where the rules of each come from, and what of them no',
    'source confirms.',
    '',
    line(comparisonHeadings),
    line(comparisonHeadings.map(() => '---')),
    ...rows.map((row) => line(comparisonCells(row))),
    '',
    '- *comes to*: `completed`, the TD is in the other VM; `sourceKept`, it is where it was; `lost`.',
    '- *first refusal*: the step and the request that the kernel refused first.',
    '- *peak slots*: key slots in use at the most. One TD is one slot; a second one is taken by a',
    '  destination that must call KVM_TDX_INIT_VM before it may have vCPUs, and never uses it.',
    '- *slots lost*: key slots that are gone until the host restarts.',
    '- *blackout*: simulated time from the pause of the source to the first entry of the destination.',
    '- *late faults*: of the faults inside the one ioctl that moves the TD, those after which no VM has it.',
    '- *no slot to spare*: the same on a host where the TD has taken the last key slot. This is the',
    '  question of the thread of October 2022 (docs/kernels.md): a move needs no key slot of its own, and',
    '  a kernel that asks for one cannot move TDs on a full host.',
    '',
    '## The kernels',
    '',
    ...rows.map(({ kernel, description }) => `- \`${kernel}\`: ${description}`),
    '',
  ].join('\n');
}

/** A code span has no escapes; it ends with the first run of as many backticks as it began with. */
function codeSpan(text: string): string {
  const runs = text.match(/`+/g) ?? [];
  const fence = '`'.repeat(1 + Math.max(0, ...runs.map(({ length }) => length)));
  return `${fence}${sanitize(text)}${fence}`;
}

function escaped(cell: string): string {
  return cell.replaceAll('|', '\\|');
}
