/** The summary of `tdctl exec` as a person reads it, for stderr. */
import type {
  ExecSummary,
  Expectations,
  MachineNames,
  RefusalSummary,
  UnservedSummary,
  VmSummary,
} from '../../exec/index.ts';
import { paint } from '../output/paint.ts';
import { sanitize } from '../output/sanitize.ts';
import { count, times } from '../output/units.ts';

export interface SummaryContext {
  readonly machine: MachineNames;
  readonly expectations: Expectations;
  readonly colors: boolean;
}

interface Row {
  readonly label: string;
  readonly text: string;
  /** Whether the row asks for a look, or asks for none. */
  readonly tone?: 'attention' | 'quiet';
}

const labelWidth = 10;

export function summaryText(
  summary: ExecSummary,
  { machine, expectations, colors }: SummaryContext,
): string {
  const { bold, dim, yellow } = paint(colors);
  const rowText = ({ label, text, tone }: Row) => {
    const padded = label.padEnd(labelWidth);
    const shown = tone === 'attention' ? yellow(padded) : padded;
    const line = `  ${shown}  ${text}\n`;
    return tone === 'quiet' ? dim(line) : line;
  };
  const [program = ''] = summary.command;
  const rows: readonly Row[] = [
    { label: 'host', text: hostText(machine) },
    ...summary.vms.flatMap(vmRows),
    ...furtherRows(summary),
    { label: 'key slots', text: slotText(summary) },
    { label: 'released', text: releasedText(summary) },
    ...refusalRows(summary.refusals),
    ...faultRows(summary),
    ...unknownRows(summary),
    ...summary.unserved.map(unservedRow),
    ...expectationRows(expectations),
  ];
  const title = `${bold('tdctl exec')}: ${sanitize(program)} ${exitText(summary)}\n`;
  return title + rows.map(rowText).join('');
}

function exitText({ exit }: ExecSummary): string {
  return exit.how === 'code' ? `ended with exit code ${exit.status}` : `died of ${exit.signal}`;
}

function hostText({ profile, kernel, module }: MachineNames): string {
  const release = module === undefined ? '' : `, TDX module ${module}`;
  return `sim:${profile} (KVM rules ${kernel}${release})`;
}

function vmRows({ name, type, vcpus, pages, mrtd }: VmSummary): Row[] {
  const { created, initialized } = vcpus;
  if (type === 'default') {
    return [{ label: name, text: `an ordinary VM, ${count(created, 'vCPU')}` }];
  }
  const initialised = created === initialized ? '' : `, ${initialized} of them initialised`;
  const parts = [
    `TD, ${count(created, 'vCPU')}${initialised}`,
    `${count(pages.added, 'page')} added, ${pages.measured} measured`,
  ];
  return [
    { label: name, text: parts.join(', ') },
    { label: '', text: mrtd === null ? 'never finalised' : `MRTD ${mrtd}` },
  ];
}

function furtherRows({ furtherVms }: ExecSummary): Row[] {
  if (furtherVms === undefined) return [];
  const { tds, ordinary, finalized, vcpus, pages } = furtherVms;
  const parts = [
    `${count(tds, 'more TD')}, ${finalized} finalised`,
    count(ordinary, 'more ordinary VM'),
    count(vcpus.created, 'vCPU'),
    `${count(pages.added, 'page')} added, ${pages.measured} measured`,
  ];
  return [{ label: 'further', text: parts.join(', ') }];
}

function slotText({ keySlots, leakedKeySlots }: ExecSummary): string {
  const { total, used, foreign, peak } = keySlots;
  const others =
    foreign === 0 ? '' : `; ${foreign} were taken by other TDs of the host before the start`;
  const leaked = leakedKeySlots === 0 ? '' : `, ${leakedKeySlots} of them leaked`;
  return `${peak} of ${total} at the peak, ${used} now${leaked}${others}`;
}

function releasedText({ stillOpen }: ExecSummary): string {
  return stillOpen.length === 0 ? 'everything' : `all but ${stillOpen.join(', ')}`;
}

/** The refusals that tell something come first; then one row has those that every VMM meets. */
function refusalRows(refusals: readonly RefusalSummary[]): Row[] {
  const telling = refusals.filter(({ routine }) => !routine);
  const rows = telling.flatMap(
    ({ request, errno, hwError, count: calls, meaning, hint }): Row[] => {
      const status = hwError === null ? '' : ` (${hwError})`;
      const text = `${times(request, calls)}: ${errno}${status}: ${meaning}`;
      return [
        { label: 'refused', text, tone: 'attention' },
        { label: '', text: hint, tone: 'quiet' },
      ];
    },
  );
  const names = refusals
    .filter(({ routine }) => routine)
    .map(({ request, errno, count: calls }) => `${times(request, calls)} (${errno})`);
  if (names.length === 0) return rows;
  const text = `also refused, as to every VMM or to a question: ${names.join(', ')}`;
  return [...rows, { label: 'routine', text, tone: 'quiet' }];
}

/** The signals by which a program ends itself, or is ended for what it did. */
const ownFaults: readonly string[] = [
  'SIGABRT',
  'SIGBUS',
  'SIGFPE',
  'SIGILL',
  'SIGSEGV',
  'SIGTRAP',
];

/** Without a refusal there is only what an answer had in it, which the summary does not hold. */
function faultRows({ exit, refusals }: ExecSummary): Row[] {
  if (exit.how === 'code' || !ownFaults.includes(exit.signal)) return [];
  const isRefused = refusals.some(({ routine }) => !routine);
  const text = isRefused
    ? 'the program ended itself; see what was refused, and what it said above'
    : 'the program ended itself, and nothing was refused that others are not refused: see what it said ' +
      'above, and the last answers that it got, with --trace FILE';
  return [{ label: 'died', text, tone: 'attention' }];
}

function unknownRows({ unknownIoctls }: ExecSummary): Row[] {
  return unknownIoctls.map(({ on, ioctl, errno, count: calls }) => ({
    label: 'unknown',
    text: `${times(`ioctl ${ioctl}`, calls)} on ${on}: ${errno}; the simulated kernel does not know it, a real one may`,
    tone: 'attention',
  }));
}

function unservedRow({ call, abi, errno, count: calls }: UnservedSummary): Row {
  const asked =
    abi === 'x86-64'
      ? "an ioctl on a file of this machine's own KVM, which the program got by a way that no open() of /dev/kvm is"
      : `${call === 'open' ? 'open() of /dev/kvm' : 'a KVM ioctl'} by the ${abi} ABI, and only that of x86-64 is served`;
  return { label: 'not served', text: `${times(errno, calls)} for ${asked}`, tone: 'attention' };
}

function expectationRows({ results, unreached }: SummaryContext['expectations']): Row[] {
  const met = results.filter((result) => result.met).length;
  const script = { label: 'script', text: `${met} of ${results.length} expectations met` };
  return [
    ...(results.length === 0 ? [] : [script]),
    ...results
      .filter((result) => !result.met)
      .map(
        ({ place, step, vcpu, expected, got }): Row => ({
          label: 'not met',
          text: `${sanitize(place)}: ${step} of vCPU ${vcpu} expects ${expected}, and got ${got ?? 'no answer'}`,
          tone: 'attention',
        }),
      ),
    ...unreached.map(
      ({ place, step, vcpu }): Row => ({
        label: 'not run',
        text: `${sanitize(place)}: ${step} of vCPU ${vcpu} was never come to`,
        tone: 'attention',
      }),
    ),
  ];
}
