/** Kept TDs as a table, a line each, and below it what a person is told of some of them. */
import { roundedBytes } from '../../documents/quantity.ts';
import type { KeptTd } from '../../keeper/kept-td.ts';
import type { CommandIo } from '../io.ts';
import { paint } from '../output/paint.ts';
import { sanitize } from '../output/sanitize.ts';
import { columns } from '../output/table.ts';
import { age, keeperInWords, stateInWords } from './in-words.ts';
import { colorOf } from './state-colors.ts';

const heads = ['NAME', 'STATE', 'SINCE', 'VCPUS', 'MEMORY', 'HOST', 'KEEPER'] as const;

export function tdsText(tds: readonly KeptTd[], io: CommandIo): string {
  if (tds.length === 0) return 'no TDs are kept; `tdctl create SPEC` makes one\n';
  const colors = paint(io.colors.stdout);
  const rows = tds.map((td) => [
    td.name,
    colors[colorOf(td.state)](stateInWords(td)),
    td.sinceMs === null ? '-' : age(td.sinceMs),
    td.vcpus === null ? '-' : `${td.vcpus}`,
    td.memoryBytes === null ? '-' : roundedBytes(td.memoryBytes),
    td.host === null ? '-' : sanitize(td.host.name),
    keeperInWords(td),
  ]);
  const notes = notesText(tds);
  return columns([[...heads], ...rows], '') + (notes === '' ? '' : `\n${notes}`);
}

/** So many are named of those that are told the same. */
const mostNamed = 3;

/** Of a thousand TDs that a reboot ended the same is told, and so once. */
function notesText(tds: readonly KeptTd[]): string {
  const told = new Map<string, string[]>();
  for (const { name, notes } of tds) {
    for (const note of notes) told.set(note, [...(told.get(note) ?? []), name]);
  }
  return [...told]
    .map(([note, names]) => {
      const rest = names.length - mostNamed;
      const further = rest > 0 ? ` and ${rest} more` : '';
      return `${names.slice(0, mostNamed).join(', ')}${further}: ${sanitize(note)}\n`;
    })
    .join('');
}
