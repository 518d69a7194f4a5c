import { roundedBytes } from '../../documents/quantity.ts';
import {
  type CostTable,
  createdVcpus,
  type Fleet,
  idGaps,
  maxVcpuIdsOf,
  maxVcpusOf,
  moduleParameter,
  type VmGroup,
} from '../../plan/fleet/index.ts';
import { paint } from '../output/paint.ts';
import { sanitize } from '../output/sanitize.ts';
import { columns } from '../output/table.ts';
import { type PamtView, pamtText } from './host-memory.ts';

export interface FootprintView {
  readonly tables: readonly CostTable[];
  readonly pamt: PamtView | undefined;
  readonly colors: boolean;
}

export function footprintText(fleet: Fleet, { tables, pamt, colors }: FootprintView): string {
  const { bold, dim } = paint(colors);
  const notes = estimates(tables);
  return [
    `${bold('VMs')} of ${sanitize(fleet.name)}, KVM_MAX_VCPUS ${fleet.kvmMaxVcpus}\n${columns([
      ['', 'type', 'VMs', 'vCPUs', 'at most', 'ids'],
      ...fleet.groups.map((group) => groupRow(group, fleet)),
    ])}`,
    ...gapNotes(fleet),
    ...tables.map((table) => tableText(fleet, { table, notes, bold })),
    pamt === undefined ? '' : pamtText(pamt, bold),
    `kvm.max_vcpus would have to be ${moduleParameter(fleet)}, for the largest VM; a capability is set for each.\n`,
    notes.length === 0
      ? ''
      : `${dim('Estimates')}\n${columns(notes.map((note, index) => [`[${index + 1}]`, note]))}`,
  ]
    .filter((part) => part !== '')
    .join('\n');
}

function groupRow(group: VmGroup, fleet: Fleet): string[] {
  return [
    sanitize(group.name),
    group.type,
    String(group.count),
    createdVcpus(group, fleet) > group.vcpus
      ? `${group.vcpus} of ${createdVcpus(group, fleet)} created`
      : String(group.vcpus),
    group.maxVcpus === 'unbounded'
      ? `unbounded (${maxVcpusOf(group, fleet)})`
      : String(group.maxVcpus),
    group.type === 'td' ? '-' : String(maxVcpuIdsOf(group, fleet)),
  ];
}

/** A table by id pays for ids that nobody has. */
function gapNotes(fleet: Fleet): string[] {
  const gaps = fleet.groups
    .filter((group) => group.type === 'plain' && idGaps(group, fleet) > 0)
    .map(
      (group) =>
        `  ${sanitize(group.name)}: ids have gaps: ${entriesText(idGaps(group, fleet))} of the PID-pointer table for no vCPU\n`,
    );
  return gaps.length === 0 ? [] : [gaps.join('')];
}

function estimates(tables: readonly CostTable[]): string[] {
  const notes = tables.flatMap(({ designs }) => designs.flatMap(({ estimate }) => estimate ?? []));
  return [...new Set(notes)];
}

function tableText(
  fleet: Fleet,
  {
    table,
    notes,
    bold,
  }: {
    readonly table: CostTable;
    readonly notes: readonly string[];
    readonly bold: (text: string) => string;
  },
): string {
  const shown = fleet.groups
    .map((group, index) => ({ group, index }))
    .filter(({ index }) => table.designs.some(({ perVm }) => perVm[index] !== undefined));
  const rows = [
    ['', ...shown.map(({ group }) => `a ${sanitize(group.name)}`), allVms(fleet), ''],
    ...table.designs.map(({ title, perVm, fleetBytes, estimate }) => [
      title,
      ...shown.map(({ index }) => bytesText(perVm[index])),
      roundedBytes(fleetBytes),
      estimate === undefined ? '' : `[${notes.indexOf(estimate) + 1}]`,
    ]),
  ];
  return `${bold(table.title)}\n${columns(rows)}`;
}

/** The counts of two kinds of VMs are added up before the reader's eyes: `all 100 + 100`. */
function allVms({ groups }: Fleet): string {
  const counts = groups.map(({ count }) => count);
  const sum = counts.reduce((total, count) => total + count, 0);
  return `all ${counts.length === 2 ? counts.join(' + ') : sum}`;
}

function bytesText(bytes: number | undefined): string {
  return bytes === undefined ? '-' : roundedBytes(bytes);
}

function entriesText(entries: number): string {
  return entries === 1 ? '1 entry' : `${entries} entries`;
}
