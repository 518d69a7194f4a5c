/** Finds the machine of the registry, and the states of it, that the command line names. */
import { machines } from '../../../machines/index.ts';
import { nearest } from '../../documents/nearest.ts';
import { TdctlError } from '../../errors/index.ts';
import { type ChartModel, indexChart, walk } from '../../visualize/chart-model.ts';
import { extractChart } from '../../visualize/extract.ts';
import { columns } from '../output/table.ts';

const ids: readonly string[] = machines.map(({ id }) => id);

export function listMachines(): string {
  const rows = machines.map((entry) => {
    const { root, edges } = extractChart(entry);
    const states = walk(root).length - 1;
    return [
      entry.id,
      String(entry.version),
      String(states),
      String(edges.length),
      root.description ?? '',
    ];
  });
  return columns([['machine', 'version', 'states', 'transitions', ''], ...rows], '');
}

export function chooseMachine(id: string): ChartModel {
  const entry = machines.find((machine) => machine.id === id);
  if (entry !== undefined) return extractChart(entry);
  throw new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: 'choose the machine',
    message: `there is no machine ${JSON.stringify(id)}`,
    hint: didYouMean(id, ids) ?? `there is: ${ids.join(', ')}`,
  });
}

export function machineWanted(): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: 'choose the machine',
    message: 'which machine is meant is not said',
    hint: `name one of: ${ids.join(', ')}`,
  });
}

/** @returns the same ids, known to be there. */
export function stateIds(names: readonly string[], model: ChartModel): readonly string[] {
  const known = indexChart(model)
    .nodes.slice(1)
    .map(({ id }) => id);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return names;
  throw new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: 'find the active state',
    message: `${model.id} has no state ${JSON.stringify(unknown)}`,
    hint: didYouMean(unknown, known) ?? `see: tdctl graph ${model.id}`,
  });
}

function didYouMean(word: string, candidates: readonly string[]): string | undefined {
  const near = nearest(word, candidates);
  return near === undefined ? undefined : `did you mean ${near}?`;
}
