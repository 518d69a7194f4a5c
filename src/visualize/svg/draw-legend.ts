/** The legend stands below the chart: first the lines, then the tags, each as it looks in the picture. */
import { textWidth } from '../layout/measure.ts';
import { fonts, sizes } from '../layout/node-content.ts';
import type { Legend } from '../legend.ts';
import { badge } from './draw-node.ts';
import { element, text } from './element.ts';
import { headPath, linePath } from './line-path.ts';

const rowHeight = 24;
const sampleWidth = 34;
const between = 28;
const font = { size: 12, weight: 'regular' } as const;

interface Item {
  readonly width: number;
  readonly draw: (x: number, y: number) => string;
}

export function drawLegend(
  { lines, tags }: Legend,
  { left, right, y }: { readonly left: number; readonly right: number; readonly y: number },
): { readonly drawn: string; readonly height: number } {
  const rows = [
    ...placed(lines.map(lineItem), right - left),
    ...placed(tags.map(tagItem), right - left),
  ];
  const drawn = rows.flatMap((row, index) =>
    row.map(({ item, x }) => item.draw(left + x, y + index * rowHeight + 8)),
  );
  return {
    drawn: element('g', { class: 'legend' }, drawn),
    height: rows.length === 0 ? 0 : rows.length * rowHeight + 16,
  };
}

/** Items stand side by side as long as there is room. */
function placed(items: readonly Item[], room: number): { item: Item; x: number }[][] {
  const rows: { item: Item; x: number }[][] = [];
  let free = 0;
  for (const item of items) {
    const row = rows.at(-1);
    if (row === undefined || free + item.width > room) {
      rows.push([{ item, x: 0 }]);
      free = item.width + between;
    } else {
      row.push({ item, x: free });
      free += item.width + between;
    }
  }
  return rows;
}

function lineItem({ tone, words }: Legend['lines'][number]): Item {
  return {
    width: sampleWidth + 8 + textWidth(words, font),
    draw: (x, y) => {
      const points = [
        { x, y },
        { x: x + sampleWidth, y },
      ];
      return element('g', { class: `edge ${tone}` }, [
        element('path', { class: 'line', d: linePath(points) }),
        element('path', { class: 'head', d: headPath(points) }),
        text(words, { x: x + sampleWidth + 8, y: y + 4 }),
      ]);
    },
  };
}

function tagItem({ tag, words }: Legend['tags'][number]): Item {
  const width = textWidth(tag, fonts.tag) + 2 * sizes.tagPad;
  return {
    width: width + 8 + textWidth(words, font),
    draw: (x, y) =>
      badge(tag, { x, y: y - 8, width }, { class: 'tag' }) +
      text(words, { x: x + width + 8, y: y + 4 }),
  };
}
