/** Every death that a run could meet, found by playing it once without any and reading its journals. */
import type { FaultCase, Victim } from '../rehearsal/index.ts';
import { recordPlace } from './deaths.ts';
import type { NotedJournal, NotedRecord } from './noted.ts';

/** There is one case for each process that can die at each record. */
export function deathsIn(journals: readonly NotedJournal[]): FaultCase[] {
  return journals.flatMap((journal) =>
    journal.records.flatMap((record, index) => {
      const { lane } = journal;
      const nth = index === 0 ? {} : { nth: index + 1 };
      const at = recordPlace(journal);
      return victimsAt(record).map((dies) => ({
        ...{ faults: [{ at, ...nth, dies }], lane, state: record.state },
      }));
    }),
  );
}

function victimsAt({ isOfMove, hasCommand }: NotedRecord): readonly Victim[] {
  return [
    'source',
    ...(isOfMove ? (['destination'] as const) : []),
    ...(hasCommand ? (['command'] as const) : []),
    'host',
  ];
}

/**
 * Of the deaths of one process at the records that a keeper writes in one state a few stand for all
 * (src/rehearsal/faults/equal-calls.ts).
 */
export function byState(cases: readonly FaultCase[]): FaultCase[] {
  const groups = new Map<string, FaultCase[]>();
  for (const each of cases) {
    const [fault] = each.faults;
    if (fault === undefined || !('dies' in fault)) continue;
    const key = [each.lane, each.state, fault.dies, fault.at].join(' ');
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [each]);
    else group.push(each);
  }
  return [...groups.values()].flatMap(([first, ...equal]) =>
    first === undefined ? [] : [{ ...first, equal }],
  );
}
