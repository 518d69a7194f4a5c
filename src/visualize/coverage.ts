/** Coverage tells which states and transitions of a chart the recorded runs have been through. */
import { type ChartModel, indexChart } from './chart-model.ts';
import { enter } from './enter.ts';
import { type EventFile, readRuns } from './recorded-runs.ts';

export interface Coverage {
  readonly runs: number;
  readonly states: Covered;
  readonly transitions: Covered;
}

export interface Covered {
  readonly visited: readonly string[];
  readonly missed: readonly string[];
}

export function chartCoverage(model: ChartModel, files: readonly EventFile[]): Coverage {
  const chart = indexChart(model);
  const runs = files.flatMap((file) => readRuns(file, { model, chart }));
  const taken = new Set(runs.flatMap(({ edges }) => edges).map(({ id }) => id));
  const reached = runs.flatMap(({ states, edges }) => [
    ...states,
    // Final children of a compound state are only passed through.
    ...edges.flatMap(({ targets }) => targets),
  ]);
  const states = new Set(enter('', chart));
  for (const id of reached) {
    for (const around of chart.ancestors(id)) states.add(around.id);
    states.add(id);
  }
  return {
    runs: runs.length,
    states: split(
      chart.nodes.slice(1).map(({ id }) => id),
      states,
    ),
    transitions: split(
      model.edges.map(({ id }) => id),
      taken,
    ),
  };
}

function split(all: readonly string[], visited: ReadonlySet<string>): Covered {
  return {
    visited: all.filter((id) => visited.has(id)),
    missed: all.filter((id) => !visited.has(id)),
  };
}
