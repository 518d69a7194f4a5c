/** `tdctl rehearse --processes`: the same files and the same report, with keepers that are processes. */
import { resolve } from 'node:path';
import { TdctlError } from '../../errors/index.ts';
import {
  buildReport,
  type PlayedFaults,
  type RehearsalReport,
  type Scenario,
  singleOperations,
} from '../../rehearsal/index.ts';
import { defaultHostProfile } from '../../simulator/index.ts';
import { isHostFile } from '../host-file.ts';
import { askedFor } from './command-line.ts';
import { faultOf } from './fault.ts';
import type { RehearseCommandOptions } from './options.ts';
import { playFaults } from './play-faults.ts';
import type { Playing } from './playing.ts';
import type { Source } from './source.ts';

/** @throws TdctlError TDCTL_E_USAGE for what makes no sense where each TD has a process of its own. */
export function refuseWithProcesses(
  { kind, host, faults }: Source,
  { proofs, destinationVcpus }: RehearseCommandOptions,
): void {
  if (kind !== 'sim') {
    throw refused(`--host ${host}`, 'the host of the processes is simulated as a whole', {
      hint: 'use --host sim, sim:PROFILE or sim:FILE',
    });
  }
  if (proofs === true) {
    throw refused(
      '--proofs',
      'the proofs reach between the steps of a keeper, from its own process',
      {
        hint: 'play them without --processes: the steps are the same',
      },
    );
  }
  if (destinationVcpus !== undefined) throw otherVcpus('--destination-vcpus');
  if (faults === 'pairs') {
    throw refused('--faults pairs', 'two deaths at a time are more runs than anybody waits for', {
      hint: 'use `--faults each`, or `--faults random --runs N` with up to four at a time',
    });
  }
}

function otherVcpus(place: string): TdctlError {
  return refused(place, 'both keepers make the TD of one file, so it has as many vCPUs at both', {
    hint: 'play it without --processes',
  });
}

function refused(place: string, why: string, { hint }: { readonly hint: string }): TdctlError {
  return new TdctlError({
    ...{ code: 'TDCTL_E_USAGE', op: 'rehearse with processes', place, hint },
    message: `this cannot be played with --processes: ${why}`,
  });
}

export async function playProcesses({
  source,
  options,
  numbers,
  interrupts,
  progress,
  io,
}: Playing): Promise<RehearsalReport> {
  const { byState, deathsIn, playerOfProcesses, playWithProcesses } = await import(
    '../../dress-rehearsal/index.ts'
  );
  const scenario = await source.scenarioUnder(source.kernel);
  if (singleOperations(scenario.operations).some(hasVcpus)) throw otherVcpus(options.file);
  const always = source.fault.map((text) => faultOf(text, { processes: true }));
  for (const fault of source.fault) checkName(fault, scenario);
  const { kernel, sourceOf } = source;
  const cast = { kernel, sourceOf, machine: machineOf(source), env: io.env };
  const { signal } = interrupts;
  const operations = { total: scenario.operations.length, unit: 'operations' };
  const run = await playWithProcesses(cast, {
    ...{ scenario, faults: always, signal },
    onOperation: (done) => progress.show(done, operations),
  });
  if (run === undefined) throw interrupted();
  const singles = deathsIn(run.journals);
  let played: PlayedFaults | undefined;
  if (source.faults !== 'none') {
    played = await playFaults({
      ...{ scenario, singles, always, numbers, interrupts, progress, which: source.faults },
      place: playerOfProcesses(cast),
      collapsed: () => byState(singles),
      kept: always.slice(0, source.faultOfFile.length),
    });
  }
  return buildReport({ ...askedFor(source, options), scenario, run, played });
}

function hasVcpus(operation: Scenario['operations'][number]): boolean {
  return operation.do === 'migrate' && operation.vcpus !== undefined;
}

/** As a shared host is named. */
function machineOf({ host }: Source): string {
  const [, profile = ''] = /^[^:]*:?(.*)$/s.exec(host) ?? [];
  if (profile === '') return `sim:${defaultHostProfile}`;
  return `sim:${isHostFile(profile) ? resolve(profile) : profile}`;
}

function checkName(text: string, { tds }: Scenario): void {
  const [, name] = /^RECORD:([^/#=]+)/.exec(text) ?? [];
  if (name === undefined || tds.has(name)) return;
  throw new TdctlError({
    ...{ code: 'TDCTL_E_USAGE', op: 'read a fault', place: `--fault ${text}` },
    message: `the rehearsal has no TD ${name}`,
    hint: `it has ${[...tds.keys()].slice(0, 5).join(', ')}${tds.size > 5 ? ', …' : ''}`,
  });
}

function interrupted(): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_INTERRUPTED',
    op: 'rehearse with processes',
    message: 'interrupted before the run was over; its processes and its files are gone',
  });
}
