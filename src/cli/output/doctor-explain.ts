import { paint } from './paint.ts';

/** Markdown as it is, with headings of the terminal's kind; code stays in its backticks. */
export function explanationText(
  { id, text }: { readonly id: string; readonly text: string },
  colors: boolean,
): string {
  const { bold, dim } = paint(colors);
  const body = text
    .split('\n')
    .filter((line) => !line.startsWith('```'))
    .map((line) => line.replace(/\*\*(.+?)\*\*/g, (_, words: string) => bold(words)))
    .map((line) =>
      line.replace(/\]\(([^)]+)\)/g, (_, target: string) => `] ${dim(`(${target})`)}`),
    );
  return `${bold(id)}\n\n${body.join('\n')}\n`;
}
