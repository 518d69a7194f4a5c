/** `--compare` gives a row for each kernel ABI, as text, data or the page docs/migration-comparison.md. */

import { nearest } from '../../documents/nearest.ts';
import { type ExitCode, exitCodes, TdctlError } from '../../errors/index.ts';
import { type Comparison, compare } from '../../rehearsal/index.ts';
import { type KernelAbi, kernelAbis } from '../../simulator/index.ts';
import type { CommandIo } from '../io.ts';
import { dataText, documentOf } from '../output/data.ts';
import { print } from '../output/print.ts';
import { askedFor } from './command-line.ts';
import type { RehearseCommandOptions } from './options.ts';
import { progressOf } from './progress.ts';
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
  refuseFaults(source);
  const kernels =
    names === 'all' ? Object.values(kernelAbis) : [...new Set(names.split(',').map(kernelNamed))];
  const progress = progressOf(io);
  const rows = await compare({
    profile: source.profile,
    kernels,
    scenarioUnder: source.scenarioUnder,
    asked: (kernel) => askedFor({ ...source, kernel }, options),
    onKernel: (done) => progress.show(done, { total: kernels.length, unit: 'kernels' }),
  });
  progress.end();
  const { strict } = source;
  const text = await textOf(rows, { ...options, strict });
  if (options.output === 'text') print(io, text);
  else io.stdout.write(text);
  if (options.html !== undefined) {
    const { writeComparison } = await import('./write-html.ts');
    await writeComparison(rows, { path: options.html, file: options.file });
  }
  const broken = rows.filter(({ violations }) => violations > 0);
  if (broken.length > 0) throw invariantsBroken(broken);
  const missed = strict ? rows.filter(({ findings }) => findings.length > 0) : [];
  if (missed.length > 0) throw notAsExpected(missed);
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

function notAsExpected(rows: readonly Comparison[]): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_EXPECTATION',
    op: 'compare with what the file expects',
    message: 'the rehearsal does not come out as its file expects under every kernel',
    details: rows.flatMap(({ kernel, findings }) => findings.map((each) => `${kernel}: ${each}`)),
    hint: '`expectUnder` in the file says what is expected of single kernels (docs/rehearsal.md)',
  });
}

/** A comparison plays late faults of its own, and no others. */
function refuseFaults({ faults, fault }: Source): void {
  if (faults === 'none' && fault.length === 0) return;
  throw new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: 'compare kernels',
    place: '--compare',
    message: 'the file asks for faults, and a comparison plays none of them',
    hint: 'write the kernels into `spec.kernels` of the file, and leave out `--compare`',
  });
}

async function textOf(
  rows: readonly Comparison[],
  { output, file, strict }: RehearseCommandOptions & Pick<Source, 'strict'>,
): Promise<string> {
  switch (output) {
    case 'json':
    case 'yaml':
      return dataText(
        documentOf('tdctl.KernelComparison', { kernels: rows.map(comparisonData) }),
        output,
      );
    case 'markdown':
      return (await import('./comparison-page.ts')).comparisonPage(rows, file);
    case 'junit':
      return (await import('./comparison-junit.ts')).comparisonJunit(rows, { file, strict });
    default:
      return (await import('./comparison-text.ts')).comparisonText(rows);
  }
}

function comparisonData({ kernel, requests, violations, findings, ...row }: Comparison) {
  return {
    kernel: { id: kernel },
    ...row,
    requestCount: requests,
    violationCount: violations,
    notAsAsked: findings,
  };
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
