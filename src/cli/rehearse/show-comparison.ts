/** `--compare` gives a row for each kernel ABI, as text, data or the page docs/migration-comparison.md. */

import { nearest } from '../../documents/nearest.ts';
import { type ExitCode, exitCodes, TdctlError } from '../../errors/index.ts';
import { type Comparison, compare } from '../../rehearsal/index.ts';
import { type KernelAbi, kernelAbis } from '../../simulator/index.ts';
import type { CommandIo } from '../io.ts';
import { dataText } from '../output/data.ts';
import { print } from '../output/print.ts';
import type { RehearseCommandOptions } from './options.ts';
import type { Source } from './source.ts';

interface Comparing {
  readonly source: Source;
  readonly options: RehearseCommandOptions;
  /** The value of `--compare`. */
  readonly compare: string;
}

export async function showComparison(
  { source, options, compare: names }: Comparing,
  io: CommandIo,
): Promise<ExitCode> {
  if (source.kind !== 'sim') throw needsSim(source.host);
  const kernels =
    names === 'all' ? Object.values(kernelAbis) : [...new Set(names.split(',').map(kernelNamed))];
  const rows = await compare({
    profile: source.profile,
    kernels,
    scenarioUnder: source.scenarioUnder,
    onKernel: (name) => {
      if (io.stderrIsTty) io.stderr.write(`\r\u001b[K${name}`);
    },
  });
  if (io.stderrIsTty) io.stderr.write('\r\u001b[K');
  const text = await textOf(rows, options);
  if (options.output === 'text') print(io, text);
  else io.stdout.write(text);
  if (options.html !== undefined) {
    const { writeComparison } = await import('./write-html.ts');
    await writeComparison(rows, { path: options.html, file: options.file });
  }
  const broken = rows.filter(({ violations }) => violations > 0);
  if (broken.length > 0) throw invariantsBroken(broken);
  return exitCodes.ok;
}

function invariantsBroken(rows: readonly Comparison[]): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_INVARIANT_BROKEN',
    op: 'compare kernels',
    message: 'runs of the comparison break an invariant',
    details: rows.map(({ kernel, violations }) => `${kernel}: ${violations}`),
    hint: `\`tdctl rehearse … --kernel ${rows[0]?.kernel} --unchecked --faults each\` says which; please report it`,
  });
}

async function textOf(
  rows: readonly Comparison[],
  { output, file }: RehearseCommandOptions,
): Promise<string> {
  switch (output) {
    case 'json':
    case 'yaml':
      return dataText({ kind: 'tdctl.KernelComparison', version: 1, kernels: rows }, output);
    case 'markdown':
      return (await import('./comparison-page.ts')).comparisonPage(rows, file);
    default:
      return (await import('./comparison-text.ts')).comparisonText(rows);
  }
}

function kernelNamed(name: string): KernelAbi {
  const known = Object.values(kernelAbis);
  const abi = known.find((each) => each.name === name.trim());
  if (abi !== undefined) return abi;
  const names = known.map((each) => each.name);
  const meant = nearest(name, names);
  throw new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: 'choose the kernels to compare',
    place: `--compare ${name}`,
    message: `there is no kernel ABI \`${name}\`${meant === undefined ? '' : `; did you mean ${meant}?`}`,
    hint: '`tdctl kernels` lists them; `--compare all` takes every one',
  });
}

function needsSim(host: string): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: 'compare kernels',
    place: '--compare',
    message: `--compare plays several kernels, and \`--host ${host}\` has one`,
    hint: 'add `--host sim`',
  });
}
