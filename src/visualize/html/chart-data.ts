/**
 * The page of a chart is given these data. The file has types alone, because the server side writes the
 * data and the browser reads them.
 */
import type { ChartNode } from '../chart-model.ts';
import type { Legend } from '../legend.ts';

export interface ChartData {
  readonly id: string;
  readonly about: string;
  readonly states: readonly StateData[];
  readonly edges: readonly EdgeData[];
  readonly legend: Legend;
}

export interface StateData {
  readonly id: string;
  readonly name: string;
  /** Label of the state. If two states have the same name, it also tells where the state is. */
  readonly label: string;
  readonly depth: number;
  readonly kind: ChartNode['kind'];
  readonly description: string;
  readonly tags: readonly string[];
  readonly invokes: readonly string[];
  readonly entry: readonly string[];
  readonly exit: readonly string[];
  readonly requests: readonly string[];
  readonly undo: string;
  /** Edges of the shortest way to the state, or null where there is none. */
  readonly path: readonly string[] | null;
}

export interface EdgeData {
  readonly id: string;
  readonly source: string;
  readonly targets: readonly string[];
  readonly text: string;
  readonly actions: readonly string[];
  readonly isError: boolean;
}
