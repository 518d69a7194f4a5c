/** A run as a person reads it: the plan, a line for each step, and what was given back. */
import { limitNames, type TdOutput } from '../../../machines/td-lifecycle/index.ts';
import { roundedBytes } from '../../documents/quantity.ts';
import type { KeySlots } from '../../host/facts.ts';
import { kindInWords } from '../../host/identity.ts';
import type { RequestCount, TdRunEvent } from '../../orchestrator/index.ts';
import type { TdPlan } from '../../plan/index.ts';
import type { CommandIo } from '../io.ts';
import { paint } from '../output/paint.ts';
import { pathFromHere } from '../output/paths.ts';
import { print as printText, say } from '../output/print.ts';
import { sanitize } from '../output/sanitize.ts';
import { columns } from '../output/table.ts';
import { count, formatDuration, times } from '../output/units.ts';
import { guestText } from './console/guest-text.ts';
import { progressLine } from './progress-line.ts';
import type { GuestOutput, RunView, SlotsAround } from './view.ts';

const consoleText = { marks: { line: '  │ ', goesOn: '  ┆ ' }, of: "guest's console" };
const debugConsoleText = { marks: { line: '  ║ ', goesOn: '  ┊ ' }, of: "guest's debug console" };

const stateMarks: Readonly<Record<string, { mark: string; color: 'green' | 'yellow' }>> = {
  running: { mark: '●', color: 'green' },
  paused: { mark: '‖', color: 'yellow' },
};

const STEP_WIDTH = 18;
const TIME_WIDTH = 9;

export function textView(io: CommandIo): RunView {
  const colors = paint(io.colors.stdout);
  const progress = progressLine(io);
  const released: string[] = [];
  let plan: TdPlan | undefined;
  let mrtd: string | null = null;
  /** A guest may end before its TD is said to run. */
  let hasEnded = false;

  const print = (text: string) => {
    progress.clear();
    printText(io, text);
  };
  const marks = {
    done: colors.green('✓'),
    skipped: colors.dim('·'),
    failed: colors.red('✗'),
    interrupted: colors.yellow('■'),
  };
  const stepLine = (event: TdRunEvent & { event: 'step.ended' }) => {
    const time = formatDuration(event.durationMs).padStart(TIME_WIDTH);
    const does = doneText(event, released);
    const step = event.step.padEnd(STEP_WIDTH);
    const line = `  ${marks[event.result]} ${step} ${colors.dim(time)}`;
    print(`${does === '' ? line : `${line}  ${colors.dim(does)}`}\n`);
  };

  const beforeWriting = progress.clear;
  const guest: Readonly<Record<GuestOutput, ReturnType<typeof guestText>>> = {
    console: guestText({ io, ...consoleText, beforeWriting }),
    debugConsole: guestText({ io, ...debugConsoleText, beforeWriting }),
  };
  const flushGuest = () => {
    for (const text of Object.values(guest)) text.flush();
  };
  const stateLine = (state: string) => {
    const mark = stateMarks[state];
    if (mark === undefined || hasEnded) return;
    print(`  ${colors[mark.color](mark.mark)} ${colors.bold(state)}\n`);
  };

  return {
    planned: (planned, slots) => {
      plan = planned;
      print(`${planText(planned, slots, colors.bold)}\n`);
    },
    guest: (from, bytes, lostBytes) => guest[from].add(bytes, lostBytes),
    event: (event) => {
      if (event.event === 'state.entered') stateLine(event.state);
      if (event.event === 'guest.ended') {
        hasEnded = true;
        flushGuest();
        print(`  ${colors.yellow('■')} ${sanitize(event.message)}\n`);
      }
      if (event.event === 'guest.panicked') {
        flushGuest();
        print(`  ${colors.red('✗')} the guest panicked: ${sanitize(event.text)}\n`);
      }
      if (event.event === 'step.progress') progress.show(event);
      if (event.event === 'resource.released') released.push(event.what);
      if (event.event === 'td.warning') print(`  ${colors.yellow('!')} ${event.message}\n`);
      if (event.event === 'step.ended') stepLine(event);
      if (event.event === 'td.finalized') mrtd = event.mrtd;
    },
    runnable: () => {
      print(`  ${colors.green('●')} ${colors.bold('runnable')}\n${measuredText(mrtd, plan)}`);
    },
    holds: (how) => {
      if (!hasEnded) say(io, how);
    },
    ended: (output, slots) => {
      flushGuest();
      print(`\n${colors.bold(output.outcome)}: ${endText(output, slots)}\n`);
    },
  };
}

function planText(
  { spec, firmware, facts, layout, vcpuIds, bindingLimit, predictedMrtd }: TdPlan,
  slots: KeySlots | undefined,
  bold: (text: string) => string,
): string {
  const headroom = vcpuIds.length - spec.vcpus;
  const offline = headroom > 0 ? ` and ${headroom} more, left offline as headroom` : '';
  const pages = layout.initialPages.reduce((sum, section) => sum + section.pages, 0);
  const measured = layout.initialPages
    .filter((section) => section.measured)
    .reduce((sum, section) => sum + section.pages, 0);
  const module = facts.module === undefined ? '' : `, TDX module ${facts.module.release}`;
  return [
    `TD ${bold(sanitize(spec.name))} on ${bold(facts.name)}, ${kindInWords(facts)} (KVM rules ${facts.kernel.rules}${module})\n`,
    columns([
      [
        'vCPUs',
        `${spec.vcpus}${offline}; at most ${bindingLimit.value} here: ${limitNames[bindingLimit.name]}`,
      ],
      ['memory', roundedBytes(spec.memoryBytes)],
      ['firmware', `${sanitize(pathFromHere(firmware.path))}, ${roundedBytes(firmware.sizeBytes)}`],
      ['pages', `${pages} to add before the start, ${measured} of them measured`],
      ['MRTD', `${predictedMrtd} (predicted)`],
      ['key slots', slotText(slots)],
    ]),
  ].join('');
}

function slotText(slots: KeySlots | undefined): string {
  return slots ? `${slots.used} of ${slots.total} in use` : 'not known on this host';
}

/** `KVM_CREATE_VCPU ×4, KVM_SET_CPUID2`. */
function requestText(requests: readonly RequestCount[]): string {
  return requests
    .map(({ request, answer, count: number }) => {
      const repeated = times(request, number);
      return answer === 'ok' ? repeated : `${repeated} (${answer})`;
    })
    .join(', ');
}

/** No capability announces KVM_TDX_TERMINATE_VM, so a kernel without it is asked in vain. */
function terminatingText(requests: readonly RequestCount[]): string {
  const isMissing = requests.some(({ answer }) => answer === 'EINVAL');
  return isMissing ? `${requestText(requests)}: not in this kernel` : requestText(requests);
}

function doneText(
  { step, requests }: TdRunEvent & { event: 'step.ended' },
  released: readonly string[],
): string {
  if (step === 'releasing') return releasedText(released);
  return step === 'terminating' ? terminatingText(requests) : requestText(requests);
}

function releasedText(released: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const what of released) counts.set(what, (counts.get(what) ?? 0) + 1);
  const names = [...counts].map(([what, number]) => times(what, number));
  return names.length === 0 ? 'nothing was held' : `gave back ${names.join(', ')}`;
}

function measuredText(mrtd: string | null, plan: TdPlan | undefined): string {
  if (mrtd === null) return '    MRTD  the kernel does not tell it; the prediction above holds\n';
  return `    MRTD  ${mrtd}${mrtd === plan?.predictedMrtd ? ', as predicted' : ''}\n`;
}

function endText({ outcome, leftovers }: TdOutput, { before, after }: SlotsAround): string {
  const slots = after ? `; key slots: ${slotText(after)}${sameText(before, after)}` : '';
  return outcome === 'stuck'
    ? `${count(leftovers.length, 'thing')} could not be given back${slots}`
    : `everything was given back${slots}`;
}

function sameText(before: KeySlots | undefined, after: KeySlots): string {
  return before?.used === after.used ? ', as before' : '';
}
