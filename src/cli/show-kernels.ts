/** `tdctl kernels`: the kernel ABIs that a simulated host can follow. */
import { book, errnosOf } from '../abi/kvm/checks/index.ts';
import { hasMaxVcpusCap, makesVcpusFirst } from '../abi/kvm/kernels/record.ts';
import {
  differences,
  type OrderDifference,
  type PlacedCheck,
  type RequestDifference,
} from '../diagnosis/kernels/differences.ts';
import { kernelRules } from '../diagnosis/kernels/rules.ts';
import { defaultKernelAbi, type KernelAbi, kernelAbis } from '../simulator/index.ts';
import { type CommandIo, proseWidth } from './io.ts';
import { kernelNamed } from './kernel-named.ts';
import type { OutputFormat } from './options.ts';
import { printData } from './output/data.ts';
import { paint } from './output/paint.ts';
import { columns } from './output/table.ts';
import { wrap } from './output/wrap.ts';

/** @throws TdctlError TDCTL_E_USAGE for a name that is not known. */
export async function showKernels(
  names: readonly string[],
  options: { readonly output: OutputFormat },
  io: CommandIo,
): Promise<void> {
  const asked = names.map((name) =>
    kernelNamed(name, { op: 'show a kernel ABI', place: 'kernels' }),
  );
  const shown = asked.length === 0 ? Object.values(kernelAbis) : asked;
  await printData(
    'tdctl.Kernels',
    { kernels: shown.map(asData) },
    {
      io,
      format: options.output,
      text: () =>
        asked.length === 0 ? overview(shown, io) : asked.map((abi) => details(abi, io)).join('\n'),
    },
  );
}

const defaultKernel: KernelAbi = kernelAbis[defaultKernelAbi];

function asData(abi: KernelAbi) {
  const { name, description, source, unconfirmed, checks, unreachable, ...record } = abi;
  return {
    kernel: { id: name },
    default: name === defaultKernelAbi,
    description,
    source,
    unconfirmed,
    rules: Object.fromEntries(kernelRules.map((rule) => [rule.id, rule.answer(abi)])),
    record: { ...record, move: record.move ?? null },
    checkOrder: {
      differences: differences(abi, defaultKernel).map(differenceData),
      byRequest: checks,
      unreachableChecks: unreachable,
    },
  };
}

function differenceData({ requests, added, leftOut, moved }: RequestDifference) {
  return {
    requestNames: requests,
    addedChecks: added,
    leftOutChecks: leftOut,
    movedChecks: moved,
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
    ...wrap(
      `--kernel is ${bold(defaultKernelAbi)} unless said otherwise. \`tdctl kernels NAME\` shows the ` +
        'rules of one, what it checks otherwise, its source, and what is not confirmed.',
      proseWidth(io.widths.stdout),
    ).map((line) => `${dim(line)}\n`),
  ].join('');
}

/** With `must`, there can be no vCPU before that call. */
function limitSetBy(abi: KernelAbi): string {
  const { inInitVm, atCreateVm } = abi.maxVcpus;
  if (!hasMaxVcpusCap(abi)) return inInitVm ? 'INIT_VM' : 'present CPUs';
  if (inInitVm) return 'both, the same';
  return atCreateVm.length === 0 ? 'ENABLE_CAP (must)' : 'ENABLE_CAP (may)';
}

function details(abi: KernelAbi, io: CommandIo): string {
  const { bold } = paint(io.colors.stdout);
  const isDefault = abi.name === defaultKernelAbi;
  const indented = indentedTo(proseWidth(io.widths.stdout) - 2);
  const rules = kernelRules.flatMap((rule) => [
    `  ${rule.question}\n`,
    ...indented(rule.answer(abi), { by: 6 }),
  ]);
  return [
    `${bold(abi.name)}${isDefault ? ' (default)' : ''}\n`,
    ...indented(abi.description),
    '\nSource\n',
    ...indented(abi.source),
    '\nRules\n',
    ...rules,
    isDefault ? '\nChecks\n' : `\nChecks, otherwise than ${defaultKernelAbi}\n`,
    ...checkLines(abi, { isDefault, indented }),
    abi.unconfirmed.length === 0 ? '' : '\nNot confirmed by a source\n',
    ...abi.unconfirmed.flatMap((item) => indented(item, { bullet: '- ' })),
  ].join('');
}

function checkLines(
  abi: KernelAbi,
  { isDefault, indented }: { readonly isDefault: boolean; readonly indented: Indented },
): string[] {
  if (isDefault) return indented('docs/kernel-checks/ has them all, in their order');
  const found = differences(abi, defaultKernel);
  if (found.length === 0) return indented('none');
  return found.flatMap(({ requests, ...difference }) => [
    ...indented(requests.join(', ')),
    ...differenceLines(difference, indented),
  ]);
}

function differenceLines({ added, leftOut, moved }: OrderDifference, indented: Indented): string[] {
  const place = ({ check, after }: PlacedCheck) => {
    const errnos = errnosOf(book[check]).join(' or ');
    return `${check} (${errnos}), ${after === null ? 'before all' : `after ${after}`}`;
  };
  return [
    ...added.flatMap((each) => indented(place(each), { by: 6, bullet: '+ ' })),
    ...leftOut.flatMap((check) => indented(check, { by: 6, bullet: '- ' })),
    ...moved.flatMap((each) => indented(place(each), { by: 6, bullet: '~ ' })),
  ];
}

type Indented = ReturnType<typeof indentedTo>;

function indentedTo(width: number) {
  return (text: string, { by = 2, bullet = '' } = {}): string[] => {
    const pad = ' '.repeat(bullet.length);
    return wrap(text, width - by - bullet.length).map(
      (line, i) => `${' '.repeat(by)}${i === 0 ? bullet : pad}${line}\n`,
    );
  };
}
