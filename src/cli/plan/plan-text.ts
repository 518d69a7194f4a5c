/** The plan for a person: what would be done, what it costs, and what stands against it. */
import { bindingLimit, limitNames } from '../../../machines/td-lifecycle/limits.ts';
import { roundedBytes } from '../../documents/quantity.ts';
import type { TdctlError } from '../../errors/index.ts';
import { vcpuLimits } from '../../host/facts.ts';
import { kindInWords } from '../../host/identity.ts';
import {
  expectedSteps,
  type Footprint,
  footprintOf,
  type HostPamt,
  hostPamt,
  type TdPlan,
} from '../../plan/index.ts';
import type { CommandIo } from '../io.ts';
import { paint } from '../output/paint.ts';
import { pathFromHere } from '../output/paths.ts';
import { sanitize } from '../output/sanitize.ts';
import { columns } from '../output/table.ts';
import { count, formatDuration, times } from '../output/units.ts';
import type { ExpectedTimes } from './expected-times.ts';
import { bootData } from './plan-parts.ts';
import type { PlanReport } from './report.ts';
import { measuredBootSection, vmmText } from './vmm-text.ts';

export function planText(report: PlanReport, io: CommandIo): string {
  const { bold } = paint(io.colors.stdout);
  const { spec, offer, plan, findings } = report;
  const { facts } = offer;
  const module = facts.module ? `, TDX module ${facts.module.release}` : '';
  return [
    `Plan for TD ${bold(sanitize(spec.name))} on ${bold(facts.name)}, ${kindInWords(facts)} (KVM rules ${facts.kernel.rules}${module})\n`,
    section('vCPUs', vcpuRows(report)),
    ...(plan ? planSections(plan, report) : []),
    section('Key slots', [['free now', freeText(report)]]),
    ...(report.vmm ? [vmmText(report.vmm)] : []),
    ...warningsText(report, io),
    findingsText(findings, io),
  ].join('\n');
}

function section(title: string, rows: readonly (readonly string[])[]): string {
  return `${title}\n${columns(rows)}`;
}

function vcpuRows({ spec, offer }: PlanReport): string[][] {
  const limits = vcpuLimits(offer);
  const binding = bindingLimit(limits);
  const headroom = spec.maxVcpus - spec.vcpus;
  return [
    ['started', String(spec.vcpus)],
    ...(headroom > 0
      ? [['headroom', `${headroom}, created now and left offline: none can be added later`]]
      : []),
    ...Object.entries(limitNames).map(([name, words]) => {
      const value = limits[name as keyof typeof limits];
      const mark = name === binding.name ? '  <- binds' : '';
      const unknown = name === 'presentCpus' ? 'none' : '?';
      return ['limit', `${String(value ?? unknown).padStart(4)}  ${words}${mark}`];
    }),
  ];
}

function planSections(
  plan: TdPlan,
  { times: expected, memory, vmm }: Pick<PlanReport, 'times' | 'memory' | 'vmm'>,
): string[] {
  const { spec, facts, firmware, layout, predictedMrtd } = plan;
  const footprint = footprintOf(spec, { layout, facts });
  return [
    section('Measurement', [
      ['firmware', `${sanitize(pathFromHere(firmware.path))}, ${roundedBytes(firmware.sizeBytes)}`],
      ['MRTD', predictedMrtd],
      ['expected', spec.measurement.expect === undefined ? 'nothing' : 'the same'],
    ]),
    ...bootSection(plan),
    ...(vmm ? measuredBootSection(vmm) : [section('Steps', stepRows(plan, expected))]),
    ...(expected ? [section('Teardown', teardownRows(expected))] : []),
    section('Memory of the host', [
      ...footprintRows(footprint),
      ...pamtRows(hostPamt(memory, { facts, tdBytes: footprint.totalBytes })),
    ]),
  ];
}

const protocolNames = { linux64: "Linux's 64-bit boot protocol", pvh: 'PVH' } as const;

function bootSection(plan: TdPlan): string[] {
  const boot = bootData(plan);
  if (!boot) return [];
  const { protocol, kernelPath, initrdPath, cmdline, entry } = boot;
  return [
    section('Start, in place of the firmware', [
      ['kernel', `${sanitize(pathFromHere(kernelPath))}, by ${protocolNames[protocol]}`],
      ...(initrdPath === null ? [] : [['initrd', sanitize(pathFromHere(initrdPath))]]),
      ['command line', sanitize(cmdline)],
      ['entry', `0x${entry.toString(16)}`],
    ]),
  ];
}

function stepRows(plan: TdPlan, expected: ExpectedTimes | undefined): string[][] {
  return expectedSteps(plan).map(({ step, requests }) => [
    step,
    ...(expected ? [`~${timeText(expected.stepNs[step] ?? 0n)}`.padStart(8)] : []),
    requests.map(({ request, count: number }) => times(request, number)).join(', '),
  ]);
}

function teardownRows({ host, teardownNs }: ExpectedTimes): string[][] {
  return [
    [`~${timeText(teardownNs.withoutTerminateVm)}`, 'the key slot stays taken so long'],
    [`~${timeText(teardownNs.withTerminateVm)}`, 'where the kernel has KVM_TDX_TERMINATE_VM'],
    ['', `times: simulated (${host}), all memory accepted; mostly guesses, docs/simulator.md`],
  ];
}

function timeText(ns: bigint): string {
  return formatDuration(Number(ns) / 1e6);
}

function footprintRows(footprint: Footprint): string[][] {
  const { control, pageCountsOf } = footprint;
  const guess = pageCountsOf.isGuess ? ', taken for this host' : '';
  const pages = (number: number, what: string) => [
    what,
    `${roundedBytes(number * 4096)} (${count(number, 'page')})`,
  ];
  return [
    ['guest memory', roundedBytes(footprint.guestMemoryBytes)],
    pages(control.tdr + control.tdcs, 'TDR, TDCS'),
    pages(control.tdvps, 'TDVPR, TDCX'),
    pages(control.secureEpt, 'secure EPT, at most'),
    ...(footprint.headroomBytes > 0n
      ? [
          [
            'for headroom',
            `${roundedBytes(footprint.headroomBytes)} of these; a plain VM: PID table of ${roundedBytes(footprint.plainVmPidTableBytes)}`,
          ],
        ]
      : []),
    [
      'all',
      `${roundedBytes(footprint.totalBytes)}, page counts of ${pageCountsOf.release}${guess}`,
    ],
  ];
}

/** Page metadata is the host's: it is there before any TD, or comes with the first. */
function pamtRows({
  mode,
  staticBytes,
  dynamic,
  savedBytes,
  moduleHasDynamic,
}: HostPamt): string[][] {
  const { fixedBytes, counterBytes, pairsBytes } = dynamic;
  const saved =
    savedBytes < 0n ? `${roundedBytes(-savedBytes)} more` : `${roundedBytes(savedBytes)} less`;
  const who =
    mode === 'dynamic'
      ? 'on here'
      : moduleHasDynamic === undefined
        ? 'no released kernel has it'
        : `the module ${moduleHasDynamic ? 'has' : 'lacks'} it, and no released kernel has it`;
  return [
    ['PAMT, static', `${roundedBytes(staticBytes)} of the host for good, whatever runs`],
    [
      'PAMT, dynamic',
      `${roundedBytes(fixedBytes + counterBytes)}, and ${roundedBytes(pairsBytes)} with this TD: ${saved} (${who})`,
    ],
  ];
}

function freeText({ keySlots, cgroupRoom }: PlanReport): string {
  const slots = keySlots ? `${keySlots.total - keySlots.used} of ${keySlots.total}` : 'not known';
  return cgroupRoom === undefined
    ? slots
    : `${slots}; misc.max of this cgroup allows ${count(cgroupRoom, 'more TD')}`;
}

function warningsText({ warnings }: PlanReport, io: CommandIo): string[] {
  if (warnings.length === 0) return [];
  const { bold } = paint(io.colors.stdout);
  const texts = warnings.map(
    ({ id, field, place, message, hint }) =>
      `  - ${sanitize(`${place}: ${field}: ${message}`)} [${id}]\n` +
      `    ${bold('remedy')}: ${sanitize(hint)}`,
  );
  return [`After the start: ${count(warnings.length, 'warning')}\n${texts.join('\n')}\n`];
}

function findingsText(findings: readonly TdctlError[], io: CommandIo): string {
  const { green, red, bold } = paint(io.colors.stdout);
  if (findings.length === 0) return `${green('Nothing stands against it.')}\n`;
  const texts = findings.map((finding, index) => {
    const details = finding.details.flatMap((detail) => detail.split('\n'));
    return [
      `  ${index + 1}. ${sanitize(finding.message)} [${finding.code}]`,
      ...details.map((line) => `     ${sanitize(line)}`),
      ...(finding.hint === undefined ? [] : [`     ${bold('remedy')}: ${sanitize(finding.hint)}`]),
    ].join('\n');
  });
  return `${red(count(findings.length, 'finding'))}\n${texts.join('\n')}\n`;
}
