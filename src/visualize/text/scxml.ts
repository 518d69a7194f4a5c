/**
 * The chart is written as SCXML (https://www.w3.org/TR/scxml/). What SCXML has no place for stands in
 * elements and attributes of our own namespace, as the recommendation provides, so that the file holds
 * the whole chart. Names of states, events and guards are encoded (encode-name.ts) where XML ids allow
 * less.
 */

import { escapeXml } from '../../documents/xml.ts';
import {
  type ChartEdge,
  type ChartIndex,
  type ChartModel,
  type ChartNode,
  indexChart,
} from '../chart-model.ts';
import { encodeName } from './encode-name.ts';
import { indent } from './indent.ts';
import { nodeNames } from './node-names.ts';

export const chartNamespace = 'urn:tdctl:chart:1';

interface Names {
  readonly chart: ChartIndex;
  readonly name: (id: string) => string;
}

export function chartScxml(model: ChartModel): string {
  const names = { chart: indexChart(model), name: nodeNames(model) };
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    element(
      'scxml',
      {
        xmlns: 'http://www.w3.org/2005/07/scxml',
        'xmlns:tdctl': chartNamespace,
        version: '1.0',
        name: encodeName(model.id),
        initial: names.name(''),
        'tdctl:version': String(model.version),
      },
      state(model.root, names),
    ),
    '',
  ]
    .flat()
    .join('\n');
}

function state(node: ChartNode, names: Names): string[] {
  const { chart, name } = names;
  const timers = chart
    .outgoing(node.id)
    .flatMap(({ trigger }) => (trigger.type === 'after' ? [trigger.delay] : []));
  const delays = [...new Set(timers)];
  const tag = node.kind === 'atomic' || node.kind === 'compound' ? 'state' : node.kind;
  const attributes = {
    id: name(node.id),
    initial: node.initial === null ? null : name(node.initial),
    type: node.history,
    'tdctl:description': node.description,
    'tdctl:tags': node.tags.length === 0 ? null : node.tags.map(encodeName).join(' '),
  };
  return element(tag, attributes, [
    ...stepElement(node),
    ...block('onentry', [
      ...actionElements(node.entry),
      ...delays.map((delay) => sendElement(delay, { node, name })),
    ]),
    ...block('onexit', [
      ...actionElements(node.exit),
      ...delays.map((delay) => `<cancel sendid="${timerName(delay, name(node.id))}"/>`),
    ]),
    ...node.invokes.flatMap(({ src }, at) =>
      element('invoke', { type: 'urn:tdctl:actor', src, id: invokeName(node, { at, name }) }, []),
    ),
    ...chart.outgoing(node.id).flatMap((edge) => transition(edge, { node, name })),
    ...node.children.flatMap((child) => state(child, names)),
  ]);
}

interface Place {
  readonly node: ChartNode;
  readonly name: (id: string) => string;
}

function transition(edge: ChartEdge, { node, name }: Place): string[] {
  const attributes = {
    event: eventName(edge, { node, name }),
    cond: edge.guard === null ? null : `${encodeName(edge.guard)}()`,
    target: edge.targets.length === 0 ? null : edge.targets.map(name).join(' '),
    // In a history state there is one transition, and it has no type.
    type: edge.reenter || node.kind === 'history' ? null : 'internal',
    'tdctl:name': edge.name.split(' ').map(dottedName).join(' '),
    'tdctl:description': edge.description,
  };
  return element('transition', attributes, actionElements(edge.actions));
}

function eventName({ trigger }: ChartEdge, { node, name }: Place): string | null {
  switch (trigger.type) {
    case 'event':
      return trigger.event === '*' ? '*' : trigger.event.split('.').map(eventToken).join('.');
    case 'done':
      return `done.invoke.${invokeName(node, { at: trigger.invoke, name })}`;
    case 'error':
      return `error.platform.${invokeName(node, { at: trigger.invoke, name })}`;
    case 'snapshot':
      return `tdctl.snapshot.${invokeName(node, { at: trigger.invoke, name })}`;
    case 'completed':
      return `done.state.${name(node.id)}`;
    case 'after':
      return timerName(trigger.delay, name(node.id));
    case 'always':
      return null;
  }
}

function dottedName(text: string): string {
  return text.split('.').map(encodeName).join('.');
}

/** A token may begin with a digit, and `*` may end a descriptor. */
function eventToken(token: string): string {
  return token === '*' ? '*' : encodeName(token);
}

/** Ids that nobody chose are made from the place; `invoke.` marks them. */
function invokeName(node: ChartNode, { at, name }: { at: number; name: Place['name'] }): string {
  const id = node.invokes[at]?.id ?? null;
  return id === null ? `invoke.${at}.${name(node.id)}` : encodeName(id);
}

function timerName(delay: string, state: string): string {
  return `after.${encodeName(delay)}.${state}`;
}

function sendElement(delay: string, { node, name }: Place): string {
  const id = timerName(delay, name(node.id));
  const time = /^\d+$/.test(delay) ? `delay="${delay}ms"` : `delayexpr="${encodeName(delay)}()"`;
  return `<send event="${id}" id="${id}" ${time}/>`;
}

function stepElement({ step }: ChartNode): string[] {
  if (step === null) return [];
  const { requests, undo } = step;
  return element('tdctl:step', { requests: requests.map(encodeName).join(' '), undo }, []);
}

function actionElements(actions: readonly string[]): string[] {
  return actions.flatMap((action) => element('tdctl:do', { action }, []));
}

function block(tag: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : element(tag, {}, lines);
}

function element(
  tag: string,
  attributes: Readonly<Record<string, string | null>>,
  content: readonly string[],
): string[] {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => ` ${name}="${escapeXml(value ?? '')}"`)
    .join('');
  if (content.length === 0) return [`<${tag}${written}/>`];
  return [`<${tag}${written}>`, ...indent(content), `</${tag}>`];
}
