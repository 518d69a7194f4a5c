/** Which of the user's VMs the chart has a panel for: the smallest and the largest. */
import type { Fleet, VmGroup } from '../../plan/fleet/index.ts';
import { count } from '../output/units.ts';

export interface ChartPanel {
  /** One group, or a plain VM and a TD that are equal in all else. */
  readonly groups: readonly VmGroup[];
  readonly title: string;
}

export function chartPanels({ groups }: Fleet): ChartPanel[] {
  const alike = new Map<string, VmGroup[]>();
  for (const group of groups) {
    const { vcpus, maxVcpus, maxVcpuId, count: number } = group;
    const key = JSON.stringify([vcpus, maxVcpus, maxVcpuId, number]);
    alike.set(key, [...(alike.get(key) ?? []), group]);
  }
  const sorted = [...alike.values()].sort(([a], [b]) => (a?.vcpus ?? 0) - (b?.vcpus ?? 0));
  const [smallest, largest] = [sorted[0], sorted.at(-1)];
  if (smallest === undefined || largest === undefined) return [];
  const shown = smallest === largest ? [smallest] : [smallest, largest];
  return shown.map((own) => ({ groups: own, title: titleOf(own) }));
}

function titleOf(own: readonly VmGroup[]): string {
  const [group] = own;
  if (group === undefined) return '';
  const kind = own.length > 1 ? 'VM' : group.type === 'td' ? 'TD' : 'plain VM';
  const named = own.length > 1 ? '' : `${group.name}: `;
  const limit = group.maxVcpus === 'unbounded' ? 'unbounded' : `at most ${group.maxVcpus}`;
  return `${named}${count(group.count, kind)} with ${count(group.vcpus, 'vCPU')}, ${limit}`;
}
