import { statSync } from 'node:fs';
import {
  type DoctorFacts,
  diagnose,
  explainCheck,
  foundInLog,
  readFacts,
} from '../../diagnosis/doctor/index.ts';
import { standardStream } from '../../documents/path-in-words.ts';
import { type ExitCode, exitCodes, TdctlError } from '../../errors/index.ts';
import { type CommandIo, proseWidth } from '../io.ts';
import type { OutputFormat } from '../options.ts';
import { printData } from '../output/data.ts';
import { diagnosisText } from '../output/doctor.ts';
import { explanationText } from '../output/doctor-explain.ts';

interface DoctorOptions {
  readonly root?: string | undefined;
  readonly explain?: string | undefined;
  readonly all?: true | undefined;
  readonly output: OutputFormat;
}

export async function runDoctor(options: DoctorOptions, io: CommandIo): Promise<ExitCode> {
  const { root, explain, output } = options;
  if (explain !== undefined) {
    const text = explainCheck(explain);
    const data = { id: explain, text };
    await printData('tdctl.DoctorCheck', data, {
      io,
      format: output,
      text: () =>
        explanationText(data, { colors: io.colors.stdout, width: proseWidth(io.widths.stdout) }),
    });
    return exitCodes.ok;
  }
  const facts = root === undefined ? await readFacts() : await readCopy(root);
  const diagnosis = diagnose(facts, await foundInLog(facts));
  await printData(
    'tdctl.Doctor',
    { host: { name: root ?? 'this machine', simulated: false }, ...diagnosis },
    {
      io,
      format: output,
      text: () =>
        diagnosisText(diagnosis, {
          root,
          all: options.all === true,
          colors: io.colors.stdout,
          width: proseWidth(io.widths.stdout),
        }),
    },
  );
  return diagnosis.conclusion === 'ready' ? exitCodes.ok : exitCodes.findings;
}

async function readCopy(path: string): Promise<DoctorFacts> {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory()) return readFacts(path);
  if (stat !== undefined || path === standardStream) {
    const { loadCapture } = await import('../../diagnosis/capture/index.ts');
    return (await loadCapture(path)).facts;
  }
  throw new TdctlError({
    code: 'TDCTL_E_NOT_FOUND',
    op: 'read a copy of a host',
    place: path,
    message: 'there is no such directory or capture',
    hint: '--root takes a directory laid out as docs/doctor.md says, or a file of `tdctl host capture`',
  });
}
