/** The summary of `tdctl exec` as a person reads it, for stderr. */
import type {
  ExecSummary,
  RefusalSummary,
  StepResult,
  UnreachedStep,
  VmSummary,
} from '../../exec/index.ts';
import type { SimulatedMachine } from '../../simulator/index.ts';
import { paint } from '../output/paint.ts';
import { sanitize } from '../output/sanitize.ts';
import { columns } from '../output/table.ts';
import { count, times } from '../output/units.ts';

export interface SummaryContext {
  readonly machine: SimulatedMachine;
  readonly expectations: {
    readonly results: readonly StepResult[];
    readonly unreached: readonly UnreachedStep[];
  };
  readonly colors: boolean;
}

export function summaryText(
  summary: ExecSummary,
  { machine, expectations, colors }: SummaryContext,
): string {
  const { bold, dim, yellow } = paint(colors);
  const { profile, kernelAbi } = machine;
  const module = profile.module === undefined ? '' : `, TDX module ${profile.module.release}`;
  const [program = ''] = summary.command;
  return [
    `${bold('tdctl exec')}: ${sanitize(program)} ${exitText(summary)}\n`,
    columns([
      ['host', `sim:${profile.name} (KVM rules ${kernelAbi.name}${module})`],
      ...summary.vms.flatMap(vmRows),
      ['key slots ', slotText(summary)],
      ['released', releasedText(summary)],
    ]),
    ...summary.refusals
      .filter(({ routine }) => !routine)
      .map((refusal) => refusalText(refusal, { yellow, dim })),
    dim(routineText(summary.refusals.filter(({ routine }) => routine))),
    ...summary.unknownIoctls.map(
      ({ on, number, errno, count: calls }) =>
        `  ${yellow('unknown')}     ${times(`ioctl ${number}`, calls)} on ${on}: ${errno}; the simulated kernel does not know it, a real one may\n`,
    ),
    ...expectationLines(expectations, yellow),
  ].join('');
}

function exitText({ exit }: ExecSummary): string {
  return exit.how === 'code' ? `ended with exit code ${exit.status}` : `died of ${exit.signal}`;
}

function vmRows({ name, type, vcpus, pages, mrtd }: VmSummary): string[][] {
  const { created, initialized } = vcpus;
  if (type === 'default') return [[name, `an ordinary VM, ${count(created, 'vCPU')}`]];
  const initialised = created === initialized ? '' : `, ${initialized} of them initialised`;
  const parts = [
    `TD, ${count(created, 'vCPU')}${initialised}`,
    `${count(pages.added, 'page')} added, ${pages.measured} measured`,
  ];
  return [
    [name, parts.join(', ')],
    ['', mrtd === null ? 'never finalised' : `MRTD ${mrtd}`],
  ];
}

function slotText({ keySlots: { total, peak, after }, leakedKeySlots }: ExecSummary): string {
  const leaked = leakedKeySlots === 0 ? '' : `, ${leakedKeySlots} of them leaked`;
  return `${peak} of ${total} at the peak, ${after} now${leaked}`;
}

function releasedText({ stillOpen }: ExecSummary): string {
  return stillOpen.length === 0 ? 'everything' : `all but ${stillOpen.join(', ')}`;
}

function refusalText(
  { request, errno, hwError, count: calls, meaning, hint }: RefusalSummary,
  { yellow, dim }: Record<'yellow' | 'dim', (text: string) => string>,
): string {
  const status = hwError === null ? '' : ` (${hwError})`;
  return (
    `  ${yellow('refused')}     ${times(request, calls)}: ${errno}${status}: ${meaning}\n` +
    `              ${dim(hint)}\n`
  );
}

/** `routine    KVM_GET_MSR_INDEX_LIST (E2BIG), …`. */
function routineText(refusals: readonly RefusalSummary[]): string {
  if (refusals.length === 0) return '';
  const names = refusals.map(
    ({ request, errno, count: calls }) => `${times(request, calls)} (${errno})`,
  );
  return `  routine    also refused, as to every VMM: ${names.join(', ')}\n`;
}

function expectationLines(
  { results, unreached }: SummaryContext['expectations'],
  yellow: (text: string) => string,
): string[] {
  const met = results.filter((result) => result.met).length;
  return [
    ...(results.length === 0
      ? []
      : [`  script      ${met} of ${results.length} expectations met\n`]),
    ...results
      .filter((result) => !result.met)
      .map(
        ({ place, step, vcpu, expected, got }) =>
          `  ${yellow('not met')}     ${sanitize(place)}: ${step} of vCPU ${vcpu} expects ${expected}, and got ${got ?? 'no answer'}\n`,
      ),
    ...unreached.map(
      ({ place, step, vcpu }) =>
        `  ${yellow('not run')}     ${sanitize(place)}: ${step} of vCPU ${vcpu} was never come to\n`,
    ),
  ];
}
