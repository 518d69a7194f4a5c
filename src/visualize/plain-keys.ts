import { type ChartModel, type ChartNode, joinPath, walk } from './chart-model.ts';

export interface PlainChart {
  readonly model: ChartModel;
  /** The id that a state of `model` has in the chart it was made from. */
  readonly originalId: (id: string) => string;
}

/**
 * Makes the same chart with the keys `s0`, `s1`, …. XState reads a meaning into some names (a key of a
 * parallel state that begins with `#` is taken for an id), so a search on them would go astray.
 */
export function withPlainKeys(model: ChartModel): PlainChart {
  const nodes = walk(model.root);
  const keys = new Map(nodes.map((node, at) => [node.id, `s${at}`]));
  const plainIds = new Map<string, string>();
  const keyOf = (id: string) => keys.get(id) ?? id;

  const rename = (node: ChartNode, path: readonly string[]): ChartNode => {
    const id = joinPath(path);
    plainIds.set(node.id, id);
    const children = node.children.map((child) => rename(child, [...path, keyOf(child.id)]));
    return { ...node, id, key: node === model.root ? node.key : keyOf(node.id), children };
  };
  const idOf = (id: string) => plainIds.get(id) ?? id;
  const withInitial = (node: ChartNode): ChartNode => ({
    ...node,
    initial: node.initial === null ? null : idOf(node.initial),
    children: node.children.map(withInitial),
  });

  const root = withInitial(rename(model.root, []));
  const originals = new Map([...plainIds].map(([original, plain]) => [plain, original]));
  return {
    model: {
      ...model,
      root,
      edges: model.edges.map((edge) => ({
        ...edge,
        source: idOf(edge.source),
        targets: edge.targets.map(idOf),
      })),
    },
    originalId: (id) => originals.get(id) ?? id,
  };
}
