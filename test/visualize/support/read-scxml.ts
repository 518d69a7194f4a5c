/** Reads what our SCXML exporter writes back into a chart model, with an XML reader of its own. */
import type {
  ChartEdge,
  ChartInvoke,
  ChartModel,
  ChartNode,
  ChartStep,
  Trigger,
} from '../../../src/visualize/chart-model.ts';
import { joinPath } from '../../../src/visualize/chart-model.ts';
import { decodeName } from '../../../src/visualize/text/encode-name.ts';

interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Element[];
}

export function readScxml(text: string): ChartModel {
  const document = parseXml(text);
  const [root] = document.children;
  if (root === undefined) throw new Error('no root state');
  const edges: Omit<ChartEdge, 'id'>[] = [];
  return {
    id: decodeName(document.attributes.name ?? ''),
    version: Number(document.attributes['tdctl:version']),
    root: readState(root, edges),
    edges: edges.map((edge, at) => ({ id: `e${at + 1}`, ...edge })),
  };
}

const stateTags = ['state', 'parallel', 'final', 'history'];

function readState(element: Element, edges: Omit<ChartEdge, 'id'>[]): ChartNode {
  const { attributes } = element;
  const id = idOf(attributes.id ?? '');
  const of = (tag: string) => element.children.filter(({ name }) => name === tag);
  const invokes = of('invoke').map(readInvoke);
  for (const one of of('transition')) edges.push(readTransition(one, { id, element, invokes }));
  const children = element.children.filter(({ name }) => stateTags.includes(name));
  return {
    id,
    key: decodeName((attributes.id ?? '').split('.').at(-1) ?? ''),
    kind:
      element.name === 'state'
        ? children.length > 0
          ? 'compound'
          : 'atomic'
        : (element.name as ChartNode['kind']),
    description: attributes['tdctl:description'] ?? null,
    tags: (attributes['tdctl:tags'] ?? '')
      .split(' ')
      .filter((tag) => tag !== '')
      .map(decodeName),
    entry: of('onentry').flatMap(readActions),
    exit: of('onexit').flatMap(readActions),
    invokes,
    initial: attributes.initial === undefined ? null : idOf(attributes.initial),
    history: (attributes.type as ChartNode['history']) ?? null,
    step: readStep(of('tdctl:step')),
    children: children.map((child) => readState(child, edges)),
  };
}

function idOf(name: string): string {
  return joinPath(name.split('.').slice(1).map(decodeName));
}

function readInvoke({ attributes }: Element): ChartInvoke {
  const { id = '', src = '' } = attributes;
  return { src, id: id.startsWith('invoke.') ? null : decodeName(id) };
}

function readActions({ children }: Element): string[] {
  return children
    .filter(({ name }) => name === 'tdctl:do')
    .map(({ attributes }) => attributes.action ?? '');
}

function readStep([element]: readonly Element[]): ChartStep | null {
  if (element === undefined) return null;
  const { requests = '', undo = '' } = element.attributes;
  return {
    undo,
    requests: requests
      .split(' ')
      .filter((request) => request !== '')
      .map(decodeName),
  };
}

interface Source {
  readonly id: string;
  readonly element: Element;
  readonly invokes: readonly ChartInvoke[];
}

function readTransition(element: Element, source: Source): Omit<ChartEdge, 'id'> {
  const { event, cond, target, type } = element.attributes;
  return {
    name: (element.attributes['tdctl:name'] ?? '').replace(/[^. ]+/g, decodeName),
    source: source.id,
    targets: target === undefined ? [] : target.split(' ').map(idOf),
    trigger: readTrigger(event, source),
    guard: cond === undefined ? null : decodeName(cond.slice(0, -2)),
    actions: readActions(element),
    reenter: type !== 'internal' && source.element.name !== 'history',
    description: element.attributes['tdctl:description'] ?? null,
  };
}

function readTrigger(event: string | undefined, { element }: Source): Trigger {
  if (event === undefined) return { type: 'always' };
  const id = element.attributes.id ?? '';
  if (event === `done.state.${id}`) return { type: 'completed' };
  if (event.startsWith('after.') && event.endsWith(`.${id}`)) {
    return { type: 'after', delay: decodeName(event.slice(6, -id.length - 1)) };
  }
  const prefixes = {
    done: 'done.invoke.',
    error: 'error.platform.',
    snapshot: 'tdctl.snapshot.',
  } as const;
  const ids = element.children
    .filter(({ name }) => name === 'invoke')
    .map(({ attributes }) => attributes.id);
  for (const type of ['done', 'error', 'snapshot'] as const) {
    const invoke = ids.findIndex((one) => event === prefixes[type] + one);
    if (invoke >= 0) return { type, invoke };
  }
  return { type: 'event', event: event.split('.').map(decodeName).join('.') };
}

function parseXml(text: string): Element {
  const open: Element[] = [{ name: '', attributes: {}, children: [] }];
  for (const [, closing, name = '', attributes = '', empty] of text.matchAll(
    /<(\/?)([\w:]+)((?:\s+[\w:]+="[^"]*")*)\s*(\/?)>/g,
  )) {
    if (closing) {
      open.pop();
      continue;
    }
    const element: Element = { name, attributes: readAttributes(attributes), children: [] };
    open.at(-1)?.children.push(element);
    if (!empty) open.push(element);
  }
  const [document] = open[0]?.children ?? [];
  if (document === undefined || open.length !== 1) throw new Error('not well-formed');
  return document;
}

function readAttributes(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/([\w:]+)="([^"]*)"/g)].map(([, name = '', value = '']) => [
      name,
      decodeEntities(value),
    ]),
  );
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"' };

function decodeEntities(text: string): string {
  return text.replace(
    /&(?:#(\d+)|(\w+));/g,
    (_, number: string | undefined, name: string | undefined) =>
      number === undefined ? (entities[name ?? ''] ?? '?') : String.fromCodePoint(Number(number)),
  );
}
