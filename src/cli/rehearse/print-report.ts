import { junit, type RehearsalReport } from '../../rehearsal/index.ts';
import type { CommandIo } from '../io.ts';
import { dataText } from '../output/data.ts';
import type { RehearsalFormat } from './formats.ts';

export async function printReport(
  report: RehearsalReport,
  { format, io }: { readonly format: RehearsalFormat; readonly io: CommandIo },
): Promise<void> {
  io.stdout.write(await textOf(report, format, io));
}

async function textOf(
  report: RehearsalReport,
  format: RehearsalFormat,
  io: CommandIo,
): Promise<string> {
  switch (format) {
    case 'json':
    case 'yaml':
      return dataText(reportData(report), format);
    case 'junit':
      return junit(report);
    case 'markdown':
    case 'text':
      return (await import('./report-text.ts')).reportText(report, io.colors.stdout);
  }
}

/** The trace is what other outputs are made from; it has a format of its own (`run --trace`). */
export function reportData({
  trace: _,
  expect: __,
  hasExpectations: ___,
  ...data
}: RehearsalReport) {
  return data;
}
