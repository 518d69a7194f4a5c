/** `tdctl rehearse`: plays a scenario, then its faults, and says what came of it. */
import { type ExitCode, TdctlError } from '../../errors/index.ts';
import { askHost } from '../../plan/judge/index.ts';
import {
  buildReport,
  collapsed,
  proveAll,
  type RehearsalReport,
  realStage,
  rehearseOn,
  rehearseSimulated,
  type Scenario,
  singleFaults,
} from '../../rehearsal/index.ts';
import { listenForInterrupts } from '../interrupts.ts';
import type { CommandIo } from '../io.ts';
import { openHost } from '../open-host.ts';
import { uselessOption } from '../useful-options.ts';
import { askedFor } from './command-line.ts';
import { endOfRehearsal } from './end-of-rehearsal.ts';
import { faultOf } from './fault.ts';
import { numbersOf, type RehearseCommandOptions } from './options.ts';
import { playFaults } from './play-faults.ts';
import type { Playing } from './playing.ts';
import { printReport } from './print-report.ts';
import { playProcesses, refuseWithProcesses } from './processes.ts';
import { progressOf } from './progress.ts';
import { openSource, placeOf, type Source } from './source.ts';
import type { Replay } from './write-html.ts';

export async function rehearse(options: RehearseCommandOptions, io: CommandIo): Promise<ExitCode> {
  const interrupts = listenForInterrupts();
  try {
    const numbers = numbersOf(options);
    const source = await openSource(options, { numbers, files: io.files });
    refuseMarkdown(options, source);
    refuseUseless(source, options);
    if (options.processes === true) refuseWithProcesses(source, options);
    if (options.compare !== undefined) {
      const { showComparison } = await import('./show-comparison.ts');
      return await showComparison({ source, options, compare: options.compare }, io);
    }
    const progress = progressOf(io);
    const playing = { source, numbers, options, interrupts, progress, io };
    if (source.kernels !== undefined) {
      const { showMatrix } = await import('./matrix/show-matrix.ts');
      const { kernels, host } = source;
      return await showMatrix(
        {
          kernels,
          host,
          options,
          interrupts,
          progress,
          playUnder: (kernel) => play(underKernel(playing, kernel)),
        },
        io,
      );
    }
    const report = await play(playing);
    progress.end();
    await printReport(report, { format: options.output, io });
    if (options.html !== undefined) {
      const { writeHtml } = await import('./write-html.ts');
      const replay = await replayOf(source, options);
      await writeHtml(report, { path: options.html, replay });
    }
    return endOfRehearsal(report, interrupts);
  } finally {
    interrupts.done();
  }
}

/** What a Rehearsal file asks for as well is known only now. */
function refuseUseless({ faults }: Source, { seed, runs }: RehearseCommandOptions): void {
  const option = seed !== undefined ? '--seed' : runs !== undefined ? '--runs' : undefined;
  if (option === undefined || faults === 'random') return;
  throw uselessOption(option, 'it is for `--faults random`');
}

function refuseMarkdown({ output, compare }: RehearseCommandOptions, { kernels }: Source): void {
  if (output !== 'markdown' || compare !== undefined || kernels !== undefined) return;
  throw new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: 'print the report',
    place: '--output markdown',
    message: 'only a comparison, or a file that names several kernels, is made as markdown',
    hint: 'add `--compare all`, or use text, json, yaml, junit or --html',
  });
}

async function replayOf(
  source: Source,
  options: RehearseCommandOptions,
): Promise<Replay | undefined> {
  const place = placeOf(source);
  if (place === undefined || options.processes === true) return undefined;
  const scenario = await source.scenarioUnder(source.kernel);
  return { place, scenario, reproduce: askedFor(source, options).reproduce };
}

/** As if the kernel had been named on the command line. */
function underKernel(playing: Playing, kernel: string): Playing {
  const source = { ...playing.source, kernel, namedKernel: kernel, kernels: undefined };
  return { ...playing, source, options: { ...playing.options, kernel } };
}

async function play(playing: Playing): Promise<RehearsalReport> {
  const { source, options, numbers, interrupts, progress } = playing;
  const place = placeOf(source);
  if (options.processes === true) return playProcesses(playing);
  if (place === undefined) return playOnHost(playing);
  const scenario = await source.scenarioUnder(source.kernel);
  const faults = source.fault.map((text) => faultOf(text, { processes: false }));
  const sweeps = source.faults !== 'none';
  const traced = sweeps || options.html !== undefined;
  const operations = { total: scenario.operations.length, unit: 'operations' };
  const run = await rehearseSimulated(place, {
    scenario,
    faults,
    traced,
    onOperation: (done) => progress.show(done, operations),
  });
  const singles = sweeps ? singleFaults(run.trace) : [];
  const played = sweeps
    ? await playFaults({
        place,
        scenario,
        singles,
        collapsed: () => collapsed(singles),
        which: source.faults,
        always: faults,
        kept: faults.slice(0, source.faultOfFile.length),
        numbers,
        interrupts,
        progress,
      })
    : undefined;
  const proofs =
    options.proofs === true && interrupts.received === undefined
      ? await proveAll(place, scenario)
      : undefined;
  return buildReport({ ...askedFor(source, options), scenario, run, played, proofs });
}

/** On a real TDX host everything is played once, and nothing is broken on purpose. */
async function playOnHost({ source, options, io }: Playing): Promise<RehearsalReport> {
  const given = [
    ...(source.faults === 'none' ? [] : ['--faults']),
    ...(source.fault.length === 0 ? [] : ['--fault']),
    ...(options.proofs === true ? ['--proofs'] : []),
    ...(options.slotsLeft === undefined ? [] : ['--slots-left']),
  ];
  refuseOnHost(given, source.host);
  const host = await openHost({ host: source.host, kernel: source.namedKernel }, io);
  let scenario: Scenario;
  try {
    scenario = await source.scenarioOn(await askHost(host));
    refuseOnHost(scenario.slotsLeft === undefined ? [] : ['--slots-left'], source.host);
  } catch (error) {
    await host.close();
    throw error;
  }
  const run = await rehearseOn(realStage(host), { scenario });
  return buildReport({ ...askedFor(source, options), scenario, run });
}

export function refuseOnHost([first]: readonly string[], host: string): void {
  if (first === undefined) return;
  throw new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: 'rehearse with faults',
    place: first,
    message: `${first} needs a machine that can be disturbed at will, and \`--host ${host}\` is real`,
    hint: 'add `--host sim`',
  });
}
