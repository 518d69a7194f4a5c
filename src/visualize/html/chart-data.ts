/** What the page of a chart is told. Types alone: the server side writes it, the browser reads it. */
import type { ChartNode } from '../chart-model.ts';

export interface ChartData {
  readonly id: string;
  readonly about: string;
  readonly states: readonly StateData[];
  readonly edges: readonly EdgeData[];
}

export interface StateData {
  readonly id: string;
  readonly name: string;
  /** Two states may have one name: then where it is belongs to it. */
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
  /** The edges of the shortest way to it; null where there is none. */
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
