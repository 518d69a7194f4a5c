/**
 * The chart is written in XState's own JSON form: `createMachine(JSON.parse(text))` gives a machine of
 * the same shape.
 */
import {
  type ChartEdge,
  type ChartIndex,
  type ChartModel,
  type ChartNode,
  indexChart,
} from '../chart-model.ts';
import { nodeNames } from './node-names.ts';

export function chartXState(model: ChartModel): string {
  return `${JSON.stringify(xstateConfig(model), null, 2)}\n`;
}

type Config = Record<string, unknown>;

/**
 * Gives the configuration as data. Guards, actions and actors are names, which `setup` or `provide`
 * fills in.
 */
export function xstateConfig(model: ChartModel): Config {
  const chart = indexChart(model);
  const names = nodeNames(model);
  // With a dot in a key XState cannot tell two paths apart, so such a chart brings its own ids.
  const hasPlainKeys = chart.nodes.every(({ key }) => !/[.\\#]/.test(key));
  const idOf = (node: ChartNode) => names(node.id).replaceAll('.', '/');
  const reference = (id: string) =>
    hasPlainKeys
      ? `#${[model.id, id].filter((part) => part !== '').join('.')}`
      : `#${idOf(chart.node(id))}`;

  const stateConfig = (node: ChartNode): Config => ({
    ...(hasPlainKeys || node === model.root ? {} : { id: idOf(node) }),
    ...describe(node),
    ...(node.kind === 'parallel' || node.kind === 'final' || node.kind === 'history'
      ? { type: node.kind }
      : {}),
    ...(node.history === null ? {} : { history: node.history }),
    ...transitions(node, { chart, reference }),
    ...(node.initial === null ? {} : { initial: chart.node(node.initial).key }),
    ...(node.children.length === 0
      ? {}
      : {
          states: Object.fromEntries(node.children.map((child) => [child.key, stateConfig(child)])),
        }),
  });
  return {
    id: hasPlainKeys ? model.id : idOf(model.root),
    version: String(model.version),
    ...stateConfig(model.root),
  };
}

function describe({ description, tags, step, entry, exit }: ChartNode): Config {
  return {
    ...(description === null ? {} : { description }),
    ...(tags.length === 0 ? {} : { tags }),
    ...(step === null ? {} : { meta: { step } }),
    ...(entry.length === 0 ? {} : { entry }),
    ...(exit.length === 0 ? {} : { exit }),
  };
}

interface References {
  readonly chart: ChartIndex;
  readonly reference: (id: string) => string;
}

function transitions(node: ChartNode, { chart, reference }: References): Config {
  const all = chart.outgoing(node.id);
  const config = (edge: ChartEdge) => transition(edge, reference);
  const of = (wanted: (edge: ChartEdge) => boolean) => all.filter(wanted).map(config);
  if (node.kind === 'history') {
    const [byDefault] = all;
    return byDefault === undefined ? {} : { target: reference(byDefault.targets[0] ?? '') };
  }
  const invoke = node.invokes.map(({ src, id }, at) => {
    const by = (type: string) =>
      of(({ trigger }) => trigger.type === type && 'invoke' in trigger && trigger.invoke === at);
    return {
      src,
      ...(id === null ? {} : { id }),
      ...some('onDone', by('done')),
      ...some('onError', by('error')),
      ...some('onSnapshot', by('snapshot')),
    };
  });
  return {
    ...some('invoke', invoke),
    ...some(
      'always',
      of(({ trigger }) => trigger.type === 'always'),
    ),
    ...keyed('on', all, {
      keyOf: ({ trigger }) => (trigger.type === 'event' ? trigger.event : null),
      config,
    }),
    ...some(
      'onDone',
      of(({ trigger }) => trigger.type === 'completed'),
    ),
    ...keyed('after', all, {
      keyOf: ({ trigger }) => (trigger.type === 'after' ? trigger.delay : null),
      config,
    }),
  };
}

function transition(
  { targets, guard, actions, reenter, description }: ChartEdge,
  reference: References['reference'],
): Config {
  const [only] = targets;
  return {
    ...(only === undefined
      ? {}
      : { target: targets.length === 1 ? reference(only) : targets.map(reference) }),
    ...(guard === null ? {} : { guard }),
    ...(actions.length === 0 ? {} : { actions }),
    ...(reenter ? { reenter } : {}),
    ...(description === null ? {} : { description }),
  };
}

function some(name: string, values: readonly unknown[]): Config {
  return values.length === 0 ? {} : { [name]: values };
}

function keyed(
  name: string,
  edges: readonly ChartEdge[],
  {
    keyOf,
    config,
  }: { keyOf: (edge: ChartEdge) => string | null; config: (edge: ChartEdge) => Config },
): Config {
  const entries = new Map<string, Config[]>();
  for (const edge of edges) {
    const key = keyOf(edge);
    if (key !== null) entries.set(key, [...(entries.get(key) ?? []), config(edge)]);
  }
  return entries.size === 0 ? {} : { [name]: Object.fromEntries(entries) };
}
