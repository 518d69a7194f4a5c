/** What must hold between the fields of a Rehearsal file. */
import type { z } from 'zod';
import { nearest } from '../../documents/nearest.ts';
import type { FileOperation, FileStep } from './operation-schema.ts';
import { namedTds, orderMistakes } from './order.ts';
import { type CountedTd, meaningOfNames, namesOf } from './td-names.ts';

interface Ruled {
  readonly kernel?: string | undefined;
  readonly kernels?: readonly string[] | undefined;
  readonly tds: readonly CountedTd[];
  readonly operations: readonly FileOperation[];
  readonly expectUnder?: object | undefined;
}

interface Mistake {
  readonly path: (string | number)[];
  readonly problem: string;
}

export function refuseMistakes(spec: Ruled, context: z.RefinementCtx): void {
  const rules = [kernelMistakes, countMistakes, nameMistakes, useMistakes];
  for (const { path, problem } of rules.flatMap((rule) => rule(spec))) {
    context.addIssue({ code: 'custom', path, message: problem });
  }
}

function kernelMistakes(spec: Ruled): Mistake[] {
  const { kernel, kernels } = spec;
  if (kernel !== undefined && kernels !== undefined) {
    const problem = 'stands beside spec.kernel; name the kernels in one of the two';
    return [{ path: ['kernels'], problem }];
  }
  const played = kernels ?? (kernel === undefined ? undefined : [kernel]);
  return [
    ...(kernels ?? []).flatMap((each, index, all) =>
      all.indexOf(each) === index ? [] : [{ path: ['kernels', index], problem: 'is named twice' }],
    ),
    ...(played === undefined ? [] : expectedElsewhere(spec, played)),
  ];
}

/** What is expected under a kernel that is not played would never be looked at. */
function expectedElsewhere(
  { expectUnder, operations }: Ruled,
  played: readonly string[],
): Mistake[] {
  const places = [
    { path: ['expectUnder'], map: expectUnder },
    ...operations.flatMap(({ together = [], ...step }, index) => [
      ...mapsOf(step, ['operations', index]),
      ...together.flatMap((each, inner) => mapsOf(each, ['operations', index, 'together', inner])),
    ]),
  ];
  return places.flatMap(({ path, map = {} }) =>
    Object.keys(map)
      .filter((name) => !played.includes(name))
      .map((name) => ({
        path: [...path, name],
        problem: `is not played, so nothing comes of it; the file plays ${played.join(', ')}`,
      })),
  );
}

function mapsOf(step: FileStep, at: Mistake['path']): { path: Mistake['path']; map?: object }[] {
  return (['provision', 'migrate'] as const).flatMap((verb) => {
    const asked = step[verb];
    if (typeof asked !== 'object' || asked.expectUnder === undefined) return [];
    return [{ path: [...at, verb, 'expectUnder'], map: asked.expectUnder }];
  });
}

const mostTds = 10_000;

function countMistakes({ tds }: Ruled): Mistake[] {
  const total = tds.reduce((sum, { count }) => sum + count, 0);
  if (total <= mostTds) return [];
  return [{ path: ['tds'], problem: `are ${total} TDs; a rehearsal has at most ${mostTds}` }];
}

function nameMistakes({ tds }: Ruled): Mistake[] {
  const seen = new Set<string>();
  return tds.flatMap((td, index) => {
    const names = new Set([td.name, ...namesOf(td)]);
    const twice = [...names].find((name) => seen.has(name));
    for (const name of names) seen.add(name);
    if (twice === undefined) return [];
    const problem =
      twice === td.name ? 'is the name of another TD too' : `makes a second TD named ${twice}`;
    return [{ path: ['tds', index, 'name'], problem }];
  });
}

/** Wrong names are refused first: the order of operations on TDs that are not there says nothing. */
function useMistakes({ tds, operations }: Ruled): Mistake[] {
  const meaning = meaningOfNames(tds);
  const unknown = namedTds(operations).filter(({ td }) => !meaning.has(td));
  const mistakes =
    unknown.length > 0
      ? unknown.map(({ td, path }) => {
          const meant = nearest(td, [...meaning.keys()]);
          const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
          return { path, problem: `names no TD of this file${hint}` };
        })
      : orderMistakes(operations, meaning);
  return mistakes.map(({ path, problem }) => ({ path: ['operations', ...path], problem }));
}
