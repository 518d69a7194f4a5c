/** A state of a chart model with nothing in it. */
import type { ChartNode } from '../../../src/visualize/chart-model.ts';

export function plainState(id: string, key = id): ChartNode {
  return {
    id,
    key,
    kind: 'atomic',
    description: null,
    tags: [],
    entry: [],
    exit: [],
    invokes: [],
    initial: null,
    history: null,
    step: null,
    children: [],
  };
}
