import { paint } from './paint.ts';
import { wrap } from './wrap.ts';

/** Puts Markdown on a terminal: paragraphs are wrapped, code is indented, links become their words. */
export function explanationText(
  { id, text }: { readonly id: string; readonly text: string },
  { colors, width }: { readonly colors: boolean; readonly width: number },
): string {
  const { bold, cyan } = paint(colors);
  const blocks = text
    .split(/^(```[^\n]*\n[\s\S]*?^```)$/m)
    .flatMap((part) =>
      part.startsWith('```')
        ? [code(part).map((line) => cyan(line))]
        : part
            .split(/\n{2,}/)
            .map((block) => items(block.trim()).flatMap((item) => paragraph(item, width))),
    );
  const body = blocks.filter((lines) => lines.join('') !== '').map((lines) => lines.join('\n'));
  const emphasised = body.join('\n\n').replace(/\*\*(.+?)\*\*/g, (_, words: string) => bold(words));
  return `${bold(id)}\n\n${emphasised}\n`;
}

function code(part: string): string[] {
  return part
    .split('\n')
    .slice(1, -1)
    .map((line) => `    ${line}`);
}

/** A list item is a paragraph of its own. */
function items(block: string): string[] {
  return block.split(/\n(?=- )/);
}

function paragraph(text: string, width: number): string[] {
  const isItem = text.startsWith('- ');
  const words = text
    .replace(/\s*\n\s*/g, ' ')
    .replace(/\[([^\]]+)\]\(#[^)]*\)/g, '$1')
    .replace(/\[([^\]]+)\]\(([^)]+)\)/g, '$1 ($2)');
  return wrap(words, width - 2).map((line, index) => (isItem && index > 0 ? `  ${line}` : line));
}
