import type { Diagnosis } from '../../diagnosis/explain/index.ts';
import { type CommandIo, proseWidth } from '../io.ts';
import type { OutputFormat } from '../options.ts';
import { printData } from '../output/data.ts';
import { diagnosisData, diagnosisText } from '../output/explanation.ts';

export interface Printed {
  readonly io: CommandIo;
  readonly output: OutputFormat;
}

/** Either a text that was typed, or the bytes of a log. */
export interface ExplainOptions extends Printed {
  readonly text?: string;
  readonly log?: AsyncIterable<Uint8Array>;
  /** The name of the kernel whose checks are shown; absent: the default. */
  readonly kernel?: string | undefined;
}

export async function printDiagnosis(diagnosis: Diagnosis, { io, output }: Printed): Promise<void> {
  await printData('tdctl.Explanation', diagnosisData(diagnosis), {
    io,
    format: output,
    text: () =>
      diagnosisText(diagnosis, { colors: io.colors.stdout, width: proseWidth(io.widths.stdout) }),
  });
}
