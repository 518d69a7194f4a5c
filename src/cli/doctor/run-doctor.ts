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
  readonly host?: string | undefined;
  readonly explain?: string | undefined;
  readonly all?: true | undefined;
  readonly output: OutputFormat;
}

export async function runDoctor(options: DoctorOptions, io: CommandIo): Promise<ExitCode> {
  const { explain, output } = options;
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
  const { facts, name, simulated } = await factsOf(options, io);
  const diagnosis = diagnose(facts, await foundInLog(facts));
  await printData(
    'tdctl.Doctor',
    { host: { name: name ?? 'this machine', simulated }, ...diagnosis },
    {
      io,
      format: output,
      text: () =>
        diagnosisText(diagnosis, {
          root: name,
          isShared: simulated,
          all: options.all === true,
          colors: io.colors.stdout,
          width: proseWidth(io.widths.stdout),
        }),
    },
  );
  return diagnosis.conclusion === 'ready' ? exitCodes.ok : exitCodes.findings;
}

interface LookedAt {
  readonly facts: DoctorFacts;
  /** Undefined: this machine. */
  readonly name?: string;
  readonly simulated: boolean;
}

async function factsOf({ root, host }: DoctorOptions, io: CommandIo): Promise<LookedAt> {
  if (host !== undefined) {
    const { doctoredHost } = await import('./shared-host.ts');
    return {
      facts: await readFacts(await doctoredHost(host, io.env)),
      name: host,
      simulated: true,
    };
  }
  if (root === undefined) return { facts: await readFacts(), simulated: false };
  return { facts: await readCopy(root), name: root, simulated: false };
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
