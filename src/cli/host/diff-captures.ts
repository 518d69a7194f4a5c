import { type Difference, diffHosts, loadCapture } from '../../diagnosis/capture/index.ts';
import { type ExitCode, exitCodes } from '../../errors/index.ts';
import { type CommandIo, proseWidth } from '../io.ts';
import type { OutputFormat } from '../options.ts';
import { printData } from '../output/data.ts';
import { paint } from '../output/paint.ts';
import { sanitize } from '../output/sanitize.ts';
import { count } from '../output/units.ts';
import { wrap } from '../output/wrap.ts';

interface Choice {
  readonly a: string;
  readonly b: string;
  readonly output: OutputFormat;
}

export async function diffCaptures({ a, b, output }: Choice, io: CommandIo): Promise<ExitCode> {
  const differences = diffHosts((await loadCapture(a)).facts, (await loadCapture(b)).facts);
  const summary = {
    blocks: differences.filter(({ effect }) => effect === 'blocks').length,
    changes: differences.filter(({ effect }) => effect === 'changes').length,
  };
  await printData(
    'tdctl.HostDiff',
    { a, b, ...summary, differences },
    {
      io,
      format: output,
      text: () => diffText({ a, b, differences }, io),
    },
  );
  return differences.length === 0 ? exitCodes.ok : exitCodes.findings;
}

const headings: Readonly<Record<Difference['effect'], string>> = {
  blocks: 'What keeps a TD of A from B',
  changes: 'What a TD or its verifier sees change',
  info: 'For information',
};

function diffText(
  { a, b, differences }: { a: string; b: string; differences: readonly Difference[] },
  io: CommandIo,
): string {
  const { bold, dim, red, yellow } = paint(io.colors.stdout);
  const width = proseWidth(io.widths.stdout);
  const head = `A ${sanitize(a)}\nB ${sanitize(b)}\n`;
  if (differences.length === 0) return `${head}\nThe two hosts do not differ.\n`;
  const tint = { blocks: red, changes: yellow, info: (text: string) => text };
  const blocks = (['blocks', 'changes', 'info'] as const).flatMap((effect) => {
    const own = differences.filter((difference) => difference.effect === effect);
    if (own.length === 0) return [];
    const lines = own.flatMap(({ field, a: left, b: right, meaning }) => [
      ...values([field, sanitize(left), sanitize(right)], width).map((line, index) =>
        index === 0 ? `  ${tint[effect](line)}` : `      ${line}`,
      ),
      ...wrap(meaning, width - 6).map((line) => `      ${dim(line)}`),
    ]);
    return [`\n${bold(headings[effect])}\n${lines.join('\n')}\n`];
  });
  return [head, ...blocks, `\n${count(differences.length, 'difference')}.\n`].join('');
}

/** The two values stand on one line where they fit, and A above B where they do not. */
function values([field, a, b]: readonly [string, string, string], width: number): string[] {
  const line = `${field}: ${a} -> ${b}`;
  if (line.length <= width - 2) return [line];
  return [
    field,
    ...[`A ${a}`, `B ${b}`].flatMap((text) =>
      wrap(text, width - 6).map((part, index) => (index === 0 ? part : `  ${part}`)),
    ),
  ];
}
