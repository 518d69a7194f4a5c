/** `tdctl fit` reads, judges, passes on and forgets host by host, so that memory does not grow with them. */
import { setImmediate } from 'node:timers/promises';
import { type ExitCode, exitCodes, TdctlError } from '../../errors/index.ts';
import { type FirmwareImage, loadFirmware } from '../../firmware/index.ts';
import type { KnownHost } from '../../host/offer.ts';
import { judgeHost, type RunningTd, runningOn } from '../../plan/fit/index.ts';
import { type PreparedTd, prepareTd } from '../../plan/judge/index.ts';
import { loadTrustDomain } from '../../spec/index.ts';
import type { TrustDomain } from '../../spec/trust-domain.ts';
import type { CommandIo } from '../io.ts';
import type { OutputFormat } from '../options.ts';
import { dataView } from './data-view.ts';
import { namedHosts } from './host-names.ts';
import { readHost } from './read-host.ts';
import type { HostResult } from './report.ts';
import { Tally } from './tally.ts';
import { textView } from './text-view.ts';

export interface FitCommandOptions {
  readonly spec: string;
  readonly hosts: readonly string[];
  readonly from?: string | undefined;
  readonly limit: string;
  readonly kernel: string;
  readonly output: OutputFormat;
}

export async function showFit(options: FitCommandOptions, io: CommandIo): Promise<ExitCode> {
  const limit = limitFrom(options.limit);
  const spec = await loadTrustDomain(options.spec);
  const td = await tdOn(options.from, { spec, kernel: options.kernel });
  const view = options.output === 'text' ? textView(io, limit) : dataView(io, options.output);
  const tally = new Tally();

  view.begin({ spec, from: options.from });
  const prepared = prepareTd(spec, { firmware: await firmwareOrProblem(spec) });
  for await (const result of results(options, { prepared, td })) {
    tally.add(result);
    await view.add(result);
  }
  const summary = tally.summary();
  view.end(summary);
  if (summary.judged === 0 && tally.firstProblem) throw tally.firstProblem;
  const { migrates, fits } = summary.verdicts;
  const takers = td === undefined ? migrates + fits : migrates;
  return takers > 0 ? exitCodes.ok : exitCodes.findings;
}

/** An image that cannot be used is a reason against every host, and no end of the command. */
async function firmwareOrProblem(spec: TrustDomain): Promise<FirmwareImage | TdctlError> {
  try {
    return await loadFirmware(spec.firmware);
  } catch (error) {
    if (!(error instanceof TdctlError)) throw error;
    return error;
  }
}

/** After so many hosts the process looks for signals, and for a reader of stdout that went away. */
const hostsAtATime = 64;

async function* results(
  { hosts, kernel }: FitCommandOptions,
  { prepared, td }: { readonly prepared: PreparedTd; readonly td: RunningTd | undefined },
): AsyncGenerator<HostResult> {
  let done = 0;
  for (const named of namedHosts(hosts)) {
    if (++done % hostsAtATime === 0) await setImmediate();
    if ('problem' in named) {
      yield named;
      continue;
    }
    const { name, place } = named;
    let host: KnownHost;
    try {
      host = await readHost(place, { name, kernel });
    } catch (error) {
      if (!(error instanceof TdctlError) || isAboutTheCommandLine(error)) throw error;
      yield { problem: error };
      continue;
    }
    yield { place, host, judgement: judgeHost(prepared, { host, td }) };
  }
}

/** A wrong `--kernel` is wrong for every host. */
function isAboutTheCommandLine({ code, place }: TdctlError): boolean {
  return code === 'TDCTL_E_USAGE' && place === '--kernel';
}

/** @throws TdctlError where the host cannot be read, or runs no TD: nothing could come from it. */
async function tdOn(
  from: string | undefined,
  { spec, kernel }: { readonly spec: TrustDomain; readonly kernel: string },
): Promise<RunningTd | undefined> {
  if (from === undefined) return undefined;
  const host = await readHost(from, { name: from, kernel });
  if (host.offer !== undefined) return runningOn(spec, host.offer);
  throw new TdctlError({
    code: 'TDCTL_E_HOST_UNSUPPORTED',
    op: 'read the host that the TD runs on',
    place: from,
    message: 'no TD can run on this host, so none can be moved from it',
    details:
      host.obstacles.length > 0 ? host.obstacles : host.unknown.map((what) => `not known: ${what}`),
    hint: 'name the host that the TD runs on, captured while KVM offered TDs',
  });
}

function limitFrom(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: 'judge hosts',
    place: '--limit',
    message: `--limit takes a whole number; this is \`${text}\``,
    hint: '0 prints the counts alone',
  });
}
