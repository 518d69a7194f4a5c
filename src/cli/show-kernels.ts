/** `tdctl kernels`: the kernel ABIs that a simulated host can follow. */
import { hasMaxVcpusCap, makesVcpusFirst } from '../abi/kvm/kernels/kernel-abi.ts';
import { nearest } from '../documents/nearest.ts';
import { TdctlError } from '../errors/index.ts';
import { defaultKernelAbi, type KernelAbi, kernelAbis } from '../simulator/index.ts';
import type { CommandIo } from './io.ts';
import type { OutputFormat } from './options.ts';
import { printData } from './output/data.ts';
import { kernelRules } from './output/kernel-rules.ts';
import { paint } from './output/paint.ts';
import { columns } from './output/table.ts';
import { wrap } from './output/wrap.ts';

/** @throws TdctlError TDCTL_E_USAGE for a name that is not known. */
export async function showKernels(
  names: readonly string[],
  options: { readonly output: OutputFormat },
  io: CommandIo,
): Promise<void> {
  const asked = names.map(kernelNamed);
  const shown = asked.length === 0 ? Object.values(kernelAbis) : asked;
  await printData(shown.map(asData), {
    io,
    format: options.output,
    text: () =>
      asked.length === 0 ? overview(shown, io) : asked.map((abi) => details(abi, io)).join('\n'),
  });
}

function kernelNamed(name: string): KernelAbi {
  const known: Readonly<Record<string, KernelAbi>> = kernelAbis;
  const found = Object.hasOwn(known, name) ? known[name] : undefined;
  if (found !== undefined) return found;
  const guess = nearest(name, Object.keys(known));
  throw new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: 'show a kernel ABI',
    place: 'NAME',
    message: `there is no kernel ABI \`${name}\``,
    hint: `${guess === undefined ? '' : `did you mean \`${guess}\`? `}\`tdctl kernels\` lists them all`,
  });
}

function asData(abi: KernelAbi) {
  const { name, description, source, unconfirmed, ...record } = abi;
  const rules = Object.fromEntries(kernelRules.map((rule) => [rule.id, rule.answer(abi)]));
  const isDefault = name === defaultKernelAbi;
  return {
    name,
    default: isDefault,
    description,
    source,
    unconfirmed,
    rules,
    record: { ...record, move: record.move ?? null },
  };
}

/** Each kernel has one line with what it is told apart by; its details have the rest. */
function overview(abis: readonly KernelAbi[], io: CommandIo): string {
  const { bold, dim } = paint(io.colors.stdout);
  const rows = abis.map((abi) => [
    abi.name,
    limitSetBy(abi),
    makesVcpusFirst(abi) ? 'yes' : 'no',
    abi.keyId.takenAt.replace('KVM_', '').replace('TDX_', ''),
    abi.move === undefined ? 'no' : abi.move.protocol,
  ]);
  return [
    columns(
      [
        ['', 'vCPU limit', 'vCPUs before', 'key slot', 'TD can'],
        ['kernel ABI', 'set by', 'INIT_VM', 'taken at', 'be moved'],
        ...rows,
      ],
      '',
    ),
    '\n',
    dim(
      `--kernel is ${bold(defaultKernelAbi)} unless said otherwise. \`tdctl kernels NAME\` shows all\n`,
    ),
    dim('rules of one, the order of its checks, their source, and what is not confirmed.\n'),
  ].join('');
}

/** With `must`, there can be no vCPU before that call. */
function limitSetBy(abi: KernelAbi): string {
  const { inInitVm, atCreateVm } = abi.maxVcpus;
  if (!hasMaxVcpusCap(abi)) return inInitVm ? 'INIT_VM' : 'present CPUs';
  if (inInitVm) return 'ENABLE_CAP = INIT_VM';
  return atCreateVm.length === 0 ? 'ENABLE_CAP (must)' : 'ENABLE_CAP (may)';
}

/** The text stays within 80 columns. */
const textWidth = 78;

function details(abi: KernelAbi, io: CommandIo): string {
  const { bold } = paint(io.colors.stdout);
  const lines = kernelRules.flatMap((rule) => [
    `  ${rule.question}\n`,
    ...wrap(rule.answer(abi), textWidth - 6).map((line) => `      ${line}\n`),
  ]);
  return [
    `${bold(abi.name)}${abi.name === defaultKernelAbi ? ' (default)' : ''}\n`,
    ...indented(abi.description),
    '\nSource\n',
    ...indented(abi.source),
    '\nRules\n',
    ...lines,
    abi.unconfirmed.length === 0 ? '' : '\nNot confirmed by a source\n',
    ...abi.unconfirmed.flatMap((item) => indented(item, '- ')),
  ].join('');
}

function indented(text: string, bullet = ''): string[] {
  const pad = ' '.repeat(bullet.length);
  return wrap(text, textWidth - 2 - bullet.length).map(
    (line, i) => `  ${i === 0 ? bullet : pad}${line}\n`,
  );
}
