/** Which TD each operation of a Rehearsal file names, and what no order of events could carry out. */
import type { FileOperation, FileStep } from './operation-schema.ts';

export interface NamedTd {
  readonly verb: Verb;
  readonly td: string;
  /** The path begins below `operations`. */
  readonly path: readonly (string | number)[];
}

const verbs = ['provision', 'migrate', 'pause', 'resume', 'stop'] as const;
type Verb = (typeof verbs)[number];

export function namedTds(operations: readonly FileOperation[]): NamedTd[] {
  return operations.flatMap((_, index) => namedAt(operations, index));
}

/**
 * A TD that is not there yet, or not any more, would only be skipped: a scenario that says nothing and
 * passes. What a run makes of its TDs does not count here.
 *
 * @param meaning the TDs that each name stands for (td-names.ts)
 */
export function orderMistakes(
  operations: readonly FileOperation[],
  meaning: ReadonlyMap<string, readonly string[]>,
): { readonly path: NamedTd['path']; readonly problem: string }[] {
  const states = new Map<string, 'there' | 'stopped'>();
  return operations.flatMap((_, index) => {
    const named = namedAt(operations, index);
    const taken = new Set<string>();
    const mistakes = named.flatMap(({ verb, td: name, path }) => {
      const tds = meaning.get(name) ?? [];
      // One of many that is in the way says it for all, and is named where the name alone would not tell.
      const problems = tds.flatMap((td) => {
        const problem = taken.has(td)
          ? `is done together with another operation on ${td}`
          : mistake(verb, states.get(td));
        if (problem === undefined) return [];
        return [td === name || taken.has(td) ? problem : `${problem} (${td})`];
      });
      for (const td of tds) taken.add(td);
      return problems.slice(0, 1).map((problem) => ({ path, problem }));
    });
    for (const { verb, td: name } of named) {
      for (const td of meaning.get(name) ?? []) {
        if (verb === 'provision') states.set(td, 'there');
        if (verb === 'stop') states.set(td, 'stopped');
      }
    }
    return mistakes;
  });
}

function mistake(verb: Verb, state: 'there' | 'stopped' | undefined): string | undefined {
  if (verb === 'provision') return state === 'there' ? 'is built already' : undefined;
  if (state === undefined) return 'comes before the TD is provisioned';
  return state === 'stopped' ? 'comes after the TD was stopped' : undefined;
}

function namedAt(operations: readonly FileOperation[], index: number): NamedTd[] {
  const { together = [], ...step } = operations[index] ?? {};
  return [
    ...tdsOf(step, [index]),
    ...together.flatMap((each, inner) => tdsOf(each, [index, 'together', inner])),
  ];
}

function tdsOf(step: FileStep, at: NamedTd['path']): NamedTd[] {
  return verbs.flatMap((verb) => {
    const named = step[verb];
    if (named === undefined) return [];
    if (typeof named === 'string') return [{ verb, td: named, path: [...at, verb] }];
    return [{ verb, td: named.td, path: [...at, verb, 'td'] }];
  });
}
