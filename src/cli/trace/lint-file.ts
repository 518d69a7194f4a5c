/** `tdctl trace lint`: reads, judges, prints. */
import { readTextFile } from '../../documents/text-file.ts';
import { type ExitCode, exitCodes, TdctlError } from '../../errors/index.ts';
import { withCpuIdentity } from '../../exec/index.ts';
import { namedKernel } from '../../host/simulated/index.ts';
import { defaultHostProfile, defaultKernelAbi, type HostProfile } from '../../simulator/index.ts';
import type { TracedCpu } from '../../trace/index.ts';
import { lintTrace, otherFormat, readTrace, type TracedTrace } from '../../trace/lint/index.ts';
import { hostProfile } from '../host-profile.ts';
import type { CommandIo } from '../io.ts';
import type { OutputFormat } from '../options.ts';
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
  const path = file === '-' ? '/dev/stdin' : file;
  const name = file === '-' ? 'standard input' : file;
  const trace = traceIn(await readTextFile(path, kind), name);
  const host = options.host ?? trace.header?.host ?? 'sim';
  const chosen = await simulatedProfile(host, options.host === undefined ? name : '--host');
  const profile = onTracedCpu(chosen, trace.header?.cpu);
  const kernelAbi = namedKernel(options.kernel ?? trace.header?.kernel ?? defaultKernelAbi);
  const report = await lintTrace(trace, { profile, kernelAbi, hostName: `sim:${profile.name}` });
  await printData(
    { file: name, ...report },
    { io, format: output, text: () => lintText(name, report, io.colors.stdout) },
  );
  const isClean = report.findings.every(({ severity }) => severity === 'note');
  return isClean ? exitCodes.ok : exitCodes.findings;
}

const kind = {
  kind: 'trace',
  starter: () => '`tdctl exec --trace FILE` writes one',
  largest: {
    bytes: 64 * 1024 * 1024,
    because: 'that is larger helps nobody: trace a shorter run',
  },
} as const;

function traceIn(text: string, name: string): TracedTrace {
  const about = { code: 'TDCTL_E_SPEC_INVALID', op: 'read the trace file' } as const;
  const place = sanitize(name);
  const message = otherFormat(text);
  if (message !== undefined) {
    throw new TdctlError({ ...about, place, message, hint: 'record it again with this tdctl' });
  }
  const trace = readTrace(text.split(/\r?\n/));
  if (trace !== undefined) return trace;
  throw new TdctlError({
    ...about,
    place,
    message:
      text.trim() === '' ? 'the file is empty' : 'there is no call of KVM in it: this is no trace',
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
