/** `tdctl fit` reads, judges, passes on and forgets host by host, so that memory does not grow with them. */
import { setImmediate } from 'node:timers/promises';
import { type ExitCode, exitCodes, TdctlError } from '../../errors/index.ts';
import { judgeHost, type RunningTd, runningOn } from '../../plan/fit/index.ts';
import type { Demand } from '../../plan/room/index.ts';
import type { CommandIo } from '../io.ts';
import type { OutputFormat } from '../options.ts';
import { countFrom, readDemands } from '../room/demands.ts';
import { roomTimes } from '../room/times.ts';
import { uselessOption } from '../useful-options.ts';
import { dataView } from './data-view.ts';
import { namedHosts } from './host-names.ts';
import { type ReadHost, readHost } from './read-host.ts';
import type { HostResult } from './report.ts';
import { Tally } from './tally.ts';
import { textView } from './text-view.ts';

export interface FitCommandOptions {
  readonly spec: string;
  readonly hosts: readonly string[];
  readonly from?: string | undefined;
  /** So many are asked for. */
  readonly count?: string | undefined;
  readonly limit: string;
  readonly kernel: string;
  /** Whether the kernel was asked for. */
  readonly namesKernel: boolean;
  readonly output: OutputFormat;
}

export async function showFit(options: FitCommandOptions, io: CommandIo): Promise<ExitCode> {
  const limit = limitFrom(options.limit);
  const count = countFrom(options.count);
  const { name, demands } = await readDemands(options.spec, { count, files: io.files });
  const td = await tdOn(options.from, { demands, kernel: options.kernel });
  const view = options.output === 'text' ? textView(io, limit) : dataView(io, options.output);
  const tally = new Tally();
  let hasCaptures = false;
  let hasSimulated = options.from?.startsWith('sim:') === true;

  view.begin({ name, from: options.from, count });
  for await (const result of results(options, {
    demands,
    td,
    timed: count === undefined ? 0 : limit,
  })) {
    tally.add(result);
    if ('host' in result) {
      hasSimulated ||= result.host.simulated;
      hasCaptures ||= !result.host.simulated;
    }
    await view.add(result);
  }
  const summary = tally.summary();
  const ending = summary.judged === 0 ? tally.firstProblem : undefined;
  // An error that is all there is to say is said once.
  if (ending !== undefined && summary.hosts === 1 && options.output === 'text') throw ending;
  view.end(summary);
  if (ending !== undefined && options.output === 'text') return ending.exitCode;
  if (ending !== undefined) throw ending;
  if (options.namesKernel && hasCaptures && !hasSimulated) {
    throw uselessOption('--kernel', 'it is for simulated hosts, and all of these are captures');
  }
  const { migrates, fits } = summary.verdicts;
  const takers = td === undefined ? migrates + fits : migrates;
  return takers > 0 ? exitCodes.ok : exitCodes.findings;
}

interface Question {
  readonly demands: readonly Demand[];
  readonly td: RunningTd | undefined;
  /** So many hosts are asked how long it takes: a twin of each has to be started for that. */
  readonly timed: number;
}

/** After so many hosts the process looks for signals, and for a reader of stdout that went away. */
const hostsAtATime = 64;

async function* results(
  { hosts, kernel }: FitCommandOptions,
  { demands, td, timed }: Question,
): AsyncGenerator<HostResult> {
  let done = 0;
  let timesLeft = timed;
  for (const named of namedHosts(hosts)) {
    if (++done % hostsAtATime === 0) await setImmediate();
    if ('problem' in named) {
      yield named;
      continue;
    }
    const { name, place } = named;
    let read: ReadHost;
    try {
      read = await readHost(place, { name, kernel });
    } catch (error) {
      if (!(error instanceof TdctlError) || isAboutTheCommandLine(error)) throw error;
      yield { problem: error };
      continue;
    }
    const { host } = read;
    const judgement = judgeHost(demands, { host, td });
    const { room } = judgement;
    const twin = judgement.reasons.length === 0 && timesLeft > 0 ? read.twin() : undefined;
    if (twin) timesLeft -= 1;
    const times = twin && (await roomTimes({ demands, room, host }, twin));
    yield { place, host, judgement, times };
  }
}

/** A wrong `--kernel` is wrong for every host. */
function isAboutTheCommandLine({ code, place }: TdctlError): boolean {
  return code === 'TDCTL_E_USAGE' && place === '--kernel';
}

/** @throws TdctlError where the host cannot be read, or runs no TD: nothing could come from it. */
async function tdOn(
  from: string | undefined,
  { demands, kernel }: { readonly demands: readonly Demand[]; readonly kernel: string },
): Promise<RunningTd | undefined> {
  if (from === undefined) return undefined;
  const [demand, another] = demands;
  if (demand === undefined || another !== undefined) throw moveOfFleet();
  const { spec } = demand.td;
  const { host } = await readHost(from, { name: from, kernel });
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

function moveOfFleet(): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: 'judge a migration',
    place: '--from',
    message: '--from is about one TD, and this file has several kinds of them',
    hint: 'name the TrustDomain file of the TD that shall move',
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
