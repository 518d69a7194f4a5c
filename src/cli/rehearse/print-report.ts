import { findingsIn, junit, type RehearsalReport } from '../../rehearsal/index.ts';
import type { CommandIo } from '../io.ts';
import type { Content } from '../output/contract/index.ts';
import { dataText, documentOf } from '../output/data.ts';
import { print } from '../output/print.ts';
import type { RehearsalFormat } from './formats.ts';

export async function printReport(
  report: RehearsalReport,
  { format, io }: { readonly format: RehearsalFormat; readonly io: CommandIo },
): Promise<void> {
  if (format === 'junit') {
    io.stdout.write(junit(report));
  } else if (format === 'json' || format === 'yaml') {
    io.stdout.write(await dataText(documentOf('tdctl.Rehearsal', reportData(report)), format));
  } else {
    const { reportText } = await import('./report-text.ts');
    print(io, reportText(report, io.colors.stdout));
  }
}

/** Other outputs are made from the trace, which has a format of its own (`run --trace`). */
export function reportData(report: RehearsalReport): Content<'tdctl.Rehearsal'> {
  const { name, host, kernel, run, sweep, proofs, strict } = report;
  return {
    name,
    host,
    kernel: { id: kernel },
    run: runData(run),
    ...(sweep && { sweep: sweepData(sweep) }),
    ...(proofs && { proofs }),
    strict,
    notAsAsked: findingsIn(report),
  };
}

function runData({ slots, ...run }: RehearsalReport['run']) {
  return { ...run, keySlotUse: slots };
}

function sweepData({
  rows,
  outcomes,
  reproductions,
  ...sweep
}: NonNullable<RehearsalReport['sweep']>) {
  return {
    ...sweep,
    outcomes: outcomes as Readonly<Record<string, number>>,
    rows: rows.map(({ cells, ...row }) => ({
      ...row,
      cells: cells.map(({ kind: fault, ...cell }) => ({ fault, ...cell })),
    })),
    reproductions: reproductions.map(({ command: commandLine, ...each }) => ({
      ...each,
      commandLine,
    })),
  };
}
