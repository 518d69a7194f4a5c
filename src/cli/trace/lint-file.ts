/** `tdctl trace lint`: reads, judges, prints. */
import { statSync } from 'node:fs';
import { standardStream } from '../../documents/path-in-words.ts';
import { readTextLines } from '../../documents/text-file.ts';
import { type ExitCode, exitCodes, TdctlError } from '../../errors/index.ts';
import { withCpuIdentity } from '../../exec/index.ts';
import { namedKernel } from '../../host/simulated/index.ts';
import { defaultHostProfile, defaultKernelAbi, type HostProfile } from '../../simulator/index.ts';
import type { TracedCpu } from '../../trace/index.ts';
import {
  type LintReport,
  lintTrace,
  type OpenedTrace,
  openTrace,
  type TracedTrace,
  type TraceLines,
} from '../../trace/lint/index.ts';
import { hostProfile } from '../host-profile.ts';
import { type CommandIo, proseWidth } from '../io.ts';
import { withLittleGarbage } from '../little-garbage.ts';
import type { OutputFormat } from '../options.ts';
import type { Content } from '../output/contract/index.ts';
import { printData } from '../output/data.ts';
import { lintText } from '../output/lint.ts';
import { sanitize } from '../output/sanitize.ts';

interface LintFileOptions {
  readonly file: string;
  readonly host?: string | undefined;
  readonly kernel?: string | undefined;
  readonly output: OutputFormat;
}

/** @returns 6 where there is more than notes. */
export async function lintFile(options: LintFileOptions, io: CommandIo): Promise<ExitCode> {
  const { file, output } = options;
  const name = file === standardStream ? 'standard input' : file;
  const trace = traceIn(await openTrace(linesOf(file)), name);
  const host = options.host ?? trace.header?.host ?? 'sim';
  const chosen = await simulatedProfile(host, options.host === undefined ? name : '--host');
  const profile = onTracedCpu(chosen, trace.header?.cpu);
  const kernelAbi = namedKernel(options.kernel ?? trace.header?.kernel ?? defaultKernelAbi);
  const report = await lintTrace(trace, { profile, kernelAbi, hostName: `sim:${profile.name}` });
  await printData('tdctl.TraceLint', lintData(name, report), {
    io,
    format: output,
    text: () =>
      lintText(name, report, { colors: io.colors.stdout, width: proseWidth(io.widths.stdout) }),
  });
  const { error, warning } = report.further;
  const isClean = report.findings.every(({ severity }) => severity === 'note');
  return isClean && error + warning === 0 ? exitCodes.ok : exitCodes.findings;
}

function lintData(file: string, report: LintReport): Content<'tdctl.TraceLint'> {
  const { host, kernel, findings, ...rest } = report;
  return {
    file,
    ...rest,
    host: { name: host, simulated: true },
    kernel: { id: kernel },
    findings: findings.map(({ kernel: rule, ...finding }) => ({ ...finding, rule })),
  };
}

const kind = {
  kind: 'trace',
  starter: () => '`tdctl exec --trace FILE -- COMMAND` writes one',
  // It is read as it comes. The bound is for what never ends.
  largest: { bytes: 64 * 1024 ** 3, because: 'is of one run' },
} as const;

function linesOf(file: string): TraceLines {
  const isFile = statSync(file, { throwIfNoEntry: false })?.isFile() === true;
  return isFile ? () => linesIn(file) : linesOfPipe(file);
}

const linesIn = (file: string) => withLittleGarbage(readTextLines(file, kind));

/** What strace printed is read twice, which a pipe cannot be: so much of it is kept, in characters. */
const mostKept = 32 * 1024 * 1024;

function linesOfPipe(file: string): TraceLines {
  let kept: (readonly string[])[] = [];
  let size = 0;
  async function* first() {
    for await (const lines of linesIn(file)) {
      size += lines.reduce((sum, { length }) => sum + length, 0);
      if (size > mostKept) kept = [];
      else kept.push(lines);
      yield lines;
    }
  }
  async function* again() {
    if (size > mostKept) throw tooLongForAPipe(file);
    yield* kept;
  }
  let isRead = false;
  return () => {
    if (isRead) return again();
    isRead = true;
    return first();
  };
}

const about = { code: 'TDCTL_E_SPEC_INVALID', op: 'read the trace file' } as const;

function tooLongForAPipe(file: string): TdctlError {
  return new TdctlError({
    ...about,
    place: sanitize(file),
    message: 'an output of strace is read twice, and this one is too long to be kept',
    hint: 'write it into a file, and name that',
  });
}

function traceIn(opened: OpenedTrace, name: string): TracedTrace {
  if ('trace' in opened) return opened.trace;
  const place = sanitize(name);
  if ('otherFormat' in opened) {
    const message = opened.otherFormat;
    throw new TdctlError({ ...about, place, message, hint: 'record it again with this tdctl' });
  }
  throw new TdctlError({
    ...about,
    place,
    message:
      opened.nothing === 'empty'
        ? 'the file is empty'
        : 'there is no call of KVM in it: this is no trace',
    hint: 'give it what `tdctl exec --trace FILE`, `tdctl run --trace FILE` or `strace -f -e trace=ioctl` wrote',
  });
}

/** @param place where the host was named. */
async function simulatedProfile(host: string, place: string): Promise<HostProfile> {
  const [kind = '', ...rest] = host.split(':');
  if (kind === 'sim') return hostProfile(rest.length === 0 ? defaultHostProfile : rest.join(':'));
  throw new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: 'choose a host',
    place: sanitize(place),
    message: `a trace is judged on a simulated host, and \`${sanitize(host)}\` is none`,
    hint: 'use --host sim, sim:PROFILE or sim:FILE; a capture of the real host will do',
  });
}

/** A program compares what KVM says with the CPU it runs on, and so its calls fit that one. */
function onTracedCpu(profile: HostProfile, cpu: TracedCpu | undefined): HostProfile {
  if (cpu === undefined) return profile;
  const { signature, physicalAddressBits } = cpu;
  return withCpuIdentity(profile, { signature: Number(signature), physicalAddressBits });
}
