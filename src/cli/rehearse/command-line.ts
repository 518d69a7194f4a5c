/** The command that plays a reduced scenario again. */
import { formatRehearsalFault, type RehearsalFault, type Scenario } from '../../rehearsal/index.ts';
import type { RehearseCommandOptions } from './options.ts';

interface Shortest {
  readonly scenario: Scenario;
  readonly faults: readonly RehearsalFault[];
}

/**
 * Options that count moves and TDs are given anew where the scenario is the standard one; a Rehearsal
 * file stays as it is, and the faults are what was reduced.
 */
export function commandLine(
  { scenario, faults }: Shortest,
  { options, whole }: { readonly options: RehearseCommandOptions; readonly whole: Scenario },
): string {
  const moves = scenario.operations.filter((operation) => operation.do === 'migrate').length;
  const tds = scenario.operations.filter((operation) => operation.do === 'provision').length;
  const isStandard = whole.operations.every(({ do: verb }) =>
    ['provision', 'migrate', 'stop'].includes(verb),
  );
  const counts = isStandard
    ? [
        '--hops',
        String(tds === 0 ? moves : Math.ceil(moves / tds)),
        '--count',
        String(Math.max(1, tds)),
      ]
    : [];
  const slots =
    scenario.slotsLeft === undefined ? [] : ['--slots-left', String(scenario.slotsLeft)];
  return [
    'tdctl rehearse',
    quoted(options.file),
    ...['--host', quoted(options.host), '--kernel', options.kernel],
    ...counts,
    ...slots,
    ...(options.unchecked === true ? ['--unchecked'] : []),
    ...faults.map((fault) => `--fault ${quoted(formatRehearsalFault(fault))}`),
  ].join(' ');
}

function quoted(text: string): string {
  return /^[\w./:=#@%+,-]+$/.test(text) && !text.includes('#')
    ? text
    : `'${text.replaceAll("'", `'\\''`)}'`;
}
