/** Which of the user's VMs the chart has a panel for: the smallest and the largest. */
import type { Fleet, VmGroup } from '../../plan/fleet/index.ts';
import { count } from '../output/units.ts';

export interface ChartPanel {
  /** One group, or a plain VM and a TD that are equal in all else. */
  readonly groups: readonly VmGroup[];
  /** That of the group; a VM of the command line has none. */
  readonly name: string | undefined;
  readonly about: string;
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
  return shown.map((own) => ({
    groups: own,
    name: own.length > 1 || own[0] === undefined ? undefined : shortened(own[0].name),
    about: aboutOf(own),
  }));
}

/** A name may have more characters than the picture has room for. */
function shortened(name: string): string {
  return name.length <= 48 ? name : `${name.slice(0, 47)}…`;
}

function aboutOf(own: readonly VmGroup[]): string {
  const [group] = own;
  if (group === undefined) return '';
  const kind = own.length > 1 ? 'VM' : group.type === 'td' ? 'TD' : 'plain VM';
  const limit = group.maxVcpus === 'unbounded' ? 'unbounded' : `at most ${group.maxVcpus}`;
  return `${count(group.count, kind)} with ${count(group.vcpus, 'vCPU')}, ${limit}`;
}
