/** What the report of a rehearsal takes from the command line, and the command that plays it again. */
import { kernelAbiOf } from '../../abi/kvm/kernels/index.ts';
import { shellWord } from '../../documents/shell-word.ts';
import { hostIdentity } from '../../host/identity.ts';
import { type AskedOfRun, formatRehearsalFault, type Reproduce } from '../../rehearsal/index.ts';
import type { RehearseCommandOptions } from './options.ts';
import type { Source } from './source.ts';

export function askedFor(source: Source, options: RehearseCommandOptions): AskedOfRun {
  const { kind, kernel, expectUnder, isJudged, strict, faultOfFile: ofFile } = source;
  return {
    asked: { host: hostIdentity({ name: kind, kind }), kernel },
    expect: expectUnder(kernelAbiOf(kernel).name),
    isJudged,
    strict,
    reproduce: (shortest) => commandLine(shortest, { options, ofFile }),
  };
}

/** Every run of a Rehearsal file has the faults that the file names, so they are not named again. */
export function commandLine(
  { scenario, faults }: Parameters<Reproduce>[0],
  {
    options,
    ofFile,
  }: { readonly options: RehearseCommandOptions; readonly ofFile: readonly string[] },
): string {
  const { standard } = scenario;
  const given = {
    '--host': options.host,
    '--kernel': options.kernel,
    '--hops': standard?.hops,
    '--count': standard?.count,
    '--slots-left': options.slotsLeft,
    '--destination-vcpus': options.destinationVcpus,
  };
  return [
    'tdctl rehearse',
    shellWord(options.file),
    ...Object.entries(given).flatMap(([option, value]) =>
      value === undefined ? [] : [option, shellWord(String(value))],
    ),
    ...(options.processes === true ? ['--processes'] : []),
    ...(options.unchecked === true ? ['--unchecked'] : []),
    ...faults
      .map(formatRehearsalFault)
      .filter((fault) => !ofFile.includes(fault))
      .map((fault) => `--fault ${shellWord(fault)}`),
  ].join(' ');
}
