/** One section of the reference of checks, in Markdown: the rows of a request, and their order by kernel. */
import { type Check, errnosOf } from '../../abi/kvm/checks/check.ts';

/** The checks that one kernel, or one release of the module, makes in its order. */
export interface NamedOrder {
  readonly by: string;
  readonly order: readonly string[];
  /** Checks of it that nothing can come to. */
  readonly unreachable: readonly string[];
}

export interface CheckSection {
  /** What is checked: requests with the same orders share a section. */
  readonly names: readonly string[];
  readonly rows: Readonly<Record<string, Check>>;
  readonly orders: readonly NamedOrder[];
  /** Checks that have no number, as they come before the request itself is looked at. */
  readonly isBeforeAll: (check: string) => boolean;
}

/** Those of the same orders together, at the place of the first. */
export function sharedSections(sections: readonly CheckSection[]): readonly CheckSection[] {
  const shared = new Map<string, CheckSection>();
  for (const section of sections) {
    const key = JSON.stringify(section.orders);
    const names = shared.get(key)?.names ?? [];
    shared.set(key, { ...section, names: [...names, ...section.names] });
  }
  return [...shared.values()];
}

export function sectionText(section: CheckSection): string {
  const { names, orders, isBeforeAll } = section;
  const all = mergedOrder(orders.map(({ order }) => order));
  const before = all.filter(isBeforeAll);
  const own = all.filter((check) => !isBeforeAll(check));
  const columns = placeColumns(section);
  const isOneOrder = columns.length === 1;
  const intro = [
    ...(before.length === 0 ? [] : [`Before all: ${before.map(code).join(', ')}.`]),
    ...(own.length === 0 ? ['Nothing else is checked.'] : []),
  ];
  return [
    `## ${names.join(', ')}\n`,
    ...(intro.length === 0 ? [] : [`${intro.join(' ')}\n`]),
    ...(own.length === 0 ? [] : [detailTable(own, section.rows, isOneOrder ? columns : [])]),
    ...(own.length === 0 || isOneOrder ? [] : [orderTable(own, columns)]),
  ].join('\n');
}

/** Of rows alone, whatever their order. */
export function rowTable(rows: Readonly<Record<string, Check>>): string {
  return detailTable(Object.keys(rows), rows, []);
}

interface PlaceColumn {
  readonly by: readonly string[];
  readonly placeOf: ReadonlyMap<string, string>;
}

/** One for all that make the same checks in the same order. */
function placeColumns({ orders, isBeforeAll }: CheckSection): readonly PlaceColumn[] {
  const columns = new Map<string, PlaceColumn>();
  for (const { by, order, unreachable } of orders) {
    const numbered = order.filter((check) => !isBeforeAll(check));
    const placeOf = new Map(
      numbered.map((check, index) => {
        const dagger = unreachable.includes(check) ? ' †' : '';
        return [check, `${index + 1}${dagger}`];
      }),
    );
    const key = JSON.stringify([...placeOf]);
    columns.set(key, { by: [...(columns.get(key)?.by ?? []), by], placeOf });
  }
  return [...columns.values()];
}

function detailTable(
  checks: readonly string[],
  rows: Readonly<Record<string, Check>>,
  places: readonly PlaceColumn[],
): string {
  const titles = ['check', 'answers', 'when', 'what to do', 'what it leaves', 'source'];
  return table(
    [...places.map(() => '#'), ...titles],
    checks.map((name) => [
      ...places.map(({ placeOf }) => placeOf.get(name) ?? ''),
      ...rowCells(name, rows[name]),
    ]),
  );
}

function rowCells(name: string, row: Check | undefined): readonly string[] {
  if (row === undefined) throw new Error(`the book has no check ${name}`);
  const { when, remedy, hwError, leaves, vmDead, source } = row;
  const answers = [
    ...errnosOf(row),
    ...(hwError === undefined ? [] : ['and the status of the module']),
  ];
  const left = [leaves, vmDead && 'the VM is dead'].filter((each) => each !== undefined);
  return [code(name), answers.join(' '), when, remedy, left.join('; '), source];
}

function orderTable(checks: readonly string[], columns: readonly PlaceColumn[]): string {
  return table(
    ['place in the order', ...columns.map(({ by }) => by.join('<br>'))],
    checks.map((name) => [code(name), ...columns.map(({ placeOf }) => placeOf.get(name) ?? '')]),
  );
}

/** Every check once: those that the first order lacks follow what they follow in the order that has them. */
export function mergedOrder(orders: readonly (readonly string[])[]): readonly string[] {
  const merged: string[] = [];
  for (const order of orders) {
    order.forEach((check, index) => {
      if (merged.includes(check)) return;
      const before = order[index - 1];
      merged.splice(before === undefined ? 0 : merged.indexOf(before) + 1, 0, check);
    });
  }
  return merged;
}

export function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cellText).join(' | ')} |\n`;
  return [line(titles), line(titles.map(() => '---')), ...rows.map(line)].join('');
}

const cellText = (text: string) => text.replaceAll('|', '\\|');
const code = (name: string) => `\`${name}\``;
