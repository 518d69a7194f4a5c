import type { TreePart } from '../../visualize/text/tree.ts';
import { paint } from '../output/paint.ts';

export function treeStyle(colors: boolean): (part: TreePart, text: string) => string {
  const { bold, dim, red, cyan, green } = paint(colors);
  const styles: Readonly<Record<TreePart, (text: string) => string>> = {
    name: bold,
    active: (text) => bold(green(text)),
    detail: (text) => text,
    tag: cyan,
    error: red,
    branch: dim,
  };
  return (part, text) => styles[part](text);
}
