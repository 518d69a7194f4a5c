/** Which states and transitions of a chart recorded runs have been through. */
import { type ChartEdge, type ChartIndex, type ChartModel, indexChart } from './chart-model.ts';
import { enter } from './enter.ts';
import { type EventFile, type RecordedRun, type RecordedStep, readRuns } from './recorded-runs.ts';

export interface Coverage {
  readonly runs: number;
  readonly states: Covered;
  readonly transitions: Covered;
  /**
   * Transitions of which one must have been taken, and the record does not say which. They count
   * as never taken.
   */
  readonly unclear: readonly string[];
}

export interface Covered {
  readonly visited: readonly string[];
  readonly missed: readonly string[];
}

export function chartCoverage(model: ChartModel, files: readonly EventFile[]): Coverage {
  const chart = indexChart(model);
  const runs = files.flatMap((file) => readRuns(file, { model, chart }));
  const states = new Set<string>();
  const taken = new Set<string>();
  const possible = new Set<string>();
  for (const run of runs) {
    for (const { entered, edges } of walkRun(run, chart)) {
      for (const id of entered) states.add(id);
      for (const id of edges) (edges.length === 1 ? taken : possible).add(id);
    }
  }
  for (const edge of model.edges) {
    if (!taken.has(edge.id)) continue;
    for (const { followed, entered } of edge.targets.map((target) => enter(target, chart))) {
      for (const id of followed) taken.add(id);
      for (const id of entered) states.add(id);
    }
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
    unclear: [...possible].filter((id) => !taken.has(id)),
  };
}

interface Move {
  readonly entered: readonly string[];
  /** The transitions that could have been taken: one, if it is certain. */
  readonly edges: readonly string[];
}

/** A run starts at rest in the initial state, which has no event of its own. */
function walkRun({ steps }: RecordedRun, chart: ChartIndex): Move[] {
  const start = enter('', chart);
  let from = start.rest;
  const moves: Move[] = [{ entered: start.entered, edges: [] }];
  for (const step of steps) {
    const entered = [step.state, ...chart.ancestors(step.state).map(({ id }) => id)];
    const edges = candidates(from, { step, chart }).map(({ id }) => id);
    moves.push({ entered, edges: from.includes(step.state) ? [] : edges });
    from = [step.state];
  }
  return moves;
}

function candidates(
  from: readonly string[],
  { step, chart }: { step: RecordedStep; chart: ChartIndex },
): ChartEdge[] {
  const sources = from.flatMap((id) => [id, ...chart.ancestors(id).map((node) => node.id)]);
  const leading = [...new Set(sources)]
    .flatMap((id) => chart.outgoing(id))
    .filter(({ trigger }) => trigger.type !== 'completed')
    .filter(({ targets }) =>
      targets.some((target) => enter(target, chart).rest.includes(step.state)),
    );
  const fitting = leading.filter((edge) => fits(edge, step.result));
  return fitting.length > 0 ? fitting : leading;
}

/** An actor's success and failure may lead to the same state: the step's result tells them apart. */
function fits({ trigger }: ChartEdge, result: RecordedStep['result']): boolean {
  if (result === 'done') return trigger.type === 'done';
  if (result === 'failed') return trigger.type === 'error';
  return result === null || trigger.type === 'event';
}

function split(all: readonly string[], visited: ReadonlySet<string>): Covered {
  return {
    visited: all.filter((id) => visited.has(id)),
    missed: all.filter((id) => !visited.has(id)),
  };
}
