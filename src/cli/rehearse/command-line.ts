/** The command that plays a reduced scenario again. */
import { formatRehearsalFault, type RehearsalFault, type Scenario } from '../../rehearsal/index.ts';
import type { RehearseCommandOptions } from './options.ts';

interface Shortest {
  readonly scenario: Scenario;
  readonly faults: readonly RehearsalFault[];
}

/** Faults of a Rehearsal file are of every run of it, and not named again. */
export function commandLine(
  { scenario, faults }: Shortest,
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
    quoted(options.file),
    ...Object.entries(given).flatMap(([option, value]) =>
      value === undefined ? [] : [option, quoted(String(value))],
    ),
    ...(options.unchecked === true ? ['--unchecked'] : []),
    ...faults
      .map(formatRehearsalFault)
      .filter((fault) => !ofFile.includes(fault))
      .map((fault) => `--fault ${quoted(fault)}`),
  ].join(' ');
}

function quoted(text: string): string {
  return /^[\w./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
