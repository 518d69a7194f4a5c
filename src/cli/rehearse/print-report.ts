import { findingsIn, junit, type RehearsalReport } from '../../rehearsal/index.ts';
import type { CommandIo } from '../io.ts';
import { dataText } from '../output/data.ts';
import { print } from '../output/print.ts';
import type { RehearsalFormat } from './formats.ts';

export async function printReport(
  report: RehearsalReport,
  { format, io }: { readonly format: RehearsalFormat; readonly io: CommandIo },
): Promise<void> {
  if (format === 'junit') {
    io.stdout.write(junit(report));
  } else if (format === 'json' || format === 'yaml') {
    io.stdout.write(await dataText(reportData(report), format));
  } else {
    const { reportText } = await import('./report-text.ts');
    print(io, reportText(report, io.colors.stdout));
  }
}

/** Other outputs are made from the trace, which has a format of its own (`run --trace`). */
export function reportData(report: RehearsalReport) {
  const { trace: _, expect: __, isJudged: ___, strict, ...data } = report;
  return { ...data, strict, findings: findingsIn(report) };
}
