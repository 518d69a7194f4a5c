/**
 * Every picture and text form is made from a statechart as plain data. It has no XState types, and only
 * extract.ts knows where it came from. Order is document order throughout: states and transitions stand
 * as they were written.
 */
export interface ChartModel {
  /** The machine's id, such as `td-lifecycle`. */
  readonly id: string;
  readonly version: number;
  readonly root: ChartNode;
  readonly edges: readonly ChartEdge[];
}

export type NodeKind = 'atomic' | 'compound' | 'parallel' | 'final' | 'history';

export interface ChartNode {
  /** Keys from the root, dotted (see `joinPath`). The id of the root itself is the empty string. */
  readonly id: string;
  /** The state's own name. */
  readonly key: string;
  readonly kind: NodeKind;
  readonly description: string | null;
  readonly tags: readonly string[];
  readonly entry: readonly string[];
  readonly exit: readonly string[];
  readonly invokes: readonly ChartInvoke[];
  /** Id of the child that is entered first; null for kinds that have none. */
  readonly initial: string | null;
  /** Kind of history, which only a state of kind `history` has. */
  readonly history: 'shallow' | 'deep' | null;
  /** Row of the machine's step table that this state carries out. */
  readonly step: ChartStep | null;
  readonly children: readonly ChartNode[];
}

export interface ChartInvoke {
  /** The actor's name. */
  readonly src: string;
  /** Id of the actor, or null where nobody chose one. */
  readonly id: string | null;
}

/** The step tells what a working state asks of the kernel, from the step table. */
export interface ChartStep {
  /** ioctls and TDX sub-commands by the kernel's names. */
  readonly requests: readonly string[];
  readonly undo: string;
}

export type Trigger =
  | { readonly type: 'event'; readonly event: string }
  /** An invoked actor has ended; `invoke` is its place in the source's `invokes`. */
  | { readonly type: 'done'; readonly invoke: number }
  | { readonly type: 'error'; readonly invoke: number }
  | { readonly type: 'snapshot'; readonly invoke: number }
  /** The source state has reached its final child. */
  | { readonly type: 'completed' }
  /** `delay` is milliseconds in digits, or the name of a delay. */
  | { readonly type: 'after'; readonly delay: string }
  | { readonly type: 'always' };

export interface ChartEdge {
  /** Ids are `e1`, `e2`, … in document order. */
  readonly id: string;
  /** Name that the events of a run use (machines/transition-id.ts). */
  readonly name: string;
  readonly source: string;
  /**
   * Targets of the transition. There are none where it stays in its state, and several only into
   * parallel regions.
   */
  readonly targets: readonly string[];
  readonly trigger: Trigger;
  readonly guard: string | null;
  readonly actions: readonly string[];
  /** True when the transition leaves and enters the source again even if the target lies within it. */
  readonly reenter: boolean;
  readonly description: string | null;
}

/** Joins keys to an id; a dot or backslash within a key is escaped as XState does. */
export function joinPath(keys: readonly string[]): string {
  return keys.map((key) => key.replace(/[\\.]/g, '\\$&')).join('.');
}

/** Gives the node and everything in it, parents before children, in document order. */
export function walk(node: ChartNode): ChartNode[] {
  const found: ChartNode[] = [];
  const open = [node];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    found.push(next);
    open.push(...next.children.toReversed());
  }
  return found;
}

export interface ChartIndex {
  /** All nodes in document order, the root first. */
  readonly nodes: readonly ChartNode[];
  readonly node: (id: string) => ChartNode;
  readonly parent: (id: string) => ChartNode | null;
  /** Place in document order. */
  readonly order: (id: string) => number;
  /** Nodes around this one, from its parent up to the root. */
  readonly ancestors: (id: string) => readonly ChartNode[];
  readonly outgoing: (id: string) => readonly ChartEdge[];
}

export function indexChart(model: ChartModel): ChartIndex {
  const nodes = walk(model.root);
  const byId = new Map(nodes.map((node, order) => [node.id, { node, order }]));
  const parents = new Map(
    nodes.flatMap((parent) => parent.children.map((child) => [child.id, parent] as const)),
  );
  const bySource = new Map<string, ChartEdge[]>();
  for (const edge of model.edges) {
    const edges = bySource.get(edge.source) ?? [];
    edges.push(edge);
    bySource.set(edge.source, edges);
  }
  const found = (id: string) => {
    const entry = byId.get(id);
    if (entry === undefined) throw new Error(`the chart ${model.id} has no state ${id}`);
    return entry;
  };
  const parent = (id: string) => parents.get(id) ?? null;
  return {
    nodes,
    node: (id) => found(id).node,
    order: (id) => found(id).order,
    parent,
    ancestors: (id) => {
      const above: ChartNode[] = [];
      for (let next = parent(id); next !== null; next = parent(next.id)) above.push(next);
      return above;
    },
    outgoing: (id) => bySource.get(id) ?? [],
  };
}
