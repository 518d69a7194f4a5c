import { type Draft, noField } from '../draft.ts';
import type { Xml } from './xml.ts';

/** Takes an element over, and says why where it cannot. */
export type Row = (element: Xml, draft: Draft) => string | undefined;

/** Each child by the row of its name. */
export function readRows(
  parent: Xml,
  rows: Readonly<Record<string, Row>>,
  draft: Draft,
): undefined {
  for (const child of parent.children) {
    const row = Object.hasOwn(rows, child.name) ? rows[child.name] : undefined;
    const why = row === undefined ? noField : row(child, draft);
    if (why !== undefined) draft.leave(child.place, whole(child), why);
  }
}

function whole(element: Xml): string {
  const isLeaf = element.children.length === 0 && element.text !== '' && element.text.length < 80;
  return isLeaf ? `${element.head}${element.text}</${element.name}>` : element.head;
}
