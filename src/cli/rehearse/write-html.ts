/** Writes the page of `--html`. The runs of the cells are played again, and all their calls are kept. */
import { writeWholeFile } from '../../files/index.ts';
import {
  type Comparison,
  type RehearsalFault,
  type RehearsalReport,
  type Reproduce,
  rehearseSimulated,
  type Scenario,
  type StageOptions,
} from '../../rehearsal/index.ts';
import { readRehearsalFault } from './fault.ts';
import { comparisonHtml } from './page/comparison.ts';
import { rehearsalPage } from './page/page.ts';
import { SequenceBuilder, type SequenceTable } from './page/sequences.ts';

/** So many runs are played again; more would make a page that no browser likes. */
const mostSequences = 600;

export interface Replay {
  readonly place: StageOptions;
  readonly scenario: Scenario;
  readonly reproduce: Reproduce;
}

/** @throws TdctlError TDCTL_E_NOT_WRITABLE. */
export async function writeHtml(
  report: RehearsalReport,
  { path, replay }: { readonly path: string; readonly replay: Replay | undefined },
): Promise<void> {
  const commandOf = (example: readonly string[]) =>
    replay?.reproduce({ scenario: replay.scenario, faults: faultsOf(report, example) }) ?? '';
  const page = rehearsalPage(report, { table: await sequencesOf(report, replay), commandOf });
  await writeWholeFile({ path, what: 'report', existing: 'replace' }, page);
}

/** @throws TdctlError TDCTL_E_NOT_WRITABLE. */
export async function writeComparison(
  rows: readonly Comparison[],
  { path, file }: { readonly path: string; readonly file: string },
): Promise<void> {
  await writeWholeFile(
    { path, what: 'comparison', existing: 'replace' },
    comparisonHtml(rows, file),
  );
}

/** All faults of the run that is the example of a cell. */
function faultsOf({ sweep }: RehearsalReport, example: readonly string[]): RehearsalFault[] {
  return [...(sweep?.always ?? []), ...example].map(readRehearsalFault);
}

async function sequencesOf(
  report: RehearsalReport,
  replay: Replay | undefined,
): Promise<SequenceTable> {
  const { sweep } = report;
  const builder = new SequenceBuilder(report.trace);
  if (sweep === undefined) return builder.table();
  let played = 0;
  for (const [row, { cells }] of sweep.rows.entries()) {
    for (const [cell, { example }] of cells.entries()) {
      if (replay === undefined || played++ >= mostSequences) return builder.table();
      const faults = faultsOf(report, example);
      const { place, scenario } = replay;
      const { trace } = await rehearseSimulated(place, { scenario, faults, traced: true });
      builder.add(`${row} ${cell}`, trace, example.map(readRehearsalFault));
    }
  }
  return builder.table();
}
