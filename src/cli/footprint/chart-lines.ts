/** What the chart draws: bytes of one VM as its limit grows, while its vCPUs stay the same. */
import { compareDesigns, type Fleet, type VmGroup } from '../../plan/fleet/index.ts';

export interface ChartLine {
  readonly label: string;
  /** Which of the things that cost memory is drawn. It decides the colour. */
  readonly tone: 'array' | 'table' | 'td';
  readonly points: readonly { readonly limit: number; readonly bytes: number }[];
}

export const largestLimit = 4096;

const tableOf = { array: 'vcpuArray', table: 'pidTable', td: 'controlPages' } as const;

const curves: readonly (Omit<ChartLine, 'points'> & { readonly design: string })[] = [
  { label: 'TDX control pages of a TD, module 1.5', tone: 'td', design: '1.5.28' },
  { label: 'PID table, full', tone: 'table', design: 'full' },
  { label: 'PID table by KVM_CAP_MAX_VCPU_ID', tone: 'table', design: 'per-vm-cap' },
  { label: 'kvm->vcpus, sized by the limit', tone: 'array', design: 'sized-at-creation' },
  { label: 'kvm->vcpus, xarray', tone: 'array', design: 'xarray' },
  { label: 'kvm->vcpus, list', tone: 'array', design: 'list' },
  { label: 'kvm->vcpus, resized (RCU)', tone: 'array', design: 'resized-on-demand' },
];

/** The limit is varied as if KVM_MAX_VCPUS, and with it the ids, were that number. */
export function chartLines({ vcpus }: Pick<VmGroup, 'vcpus'>): ChartLine[] {
  const limits = limitsFrom(vcpus);
  return curves.map(({ label, tone, design }) => ({
    label,
    tone,
    points: limits.map((limit) => {
      const type = tone === 'td' ? 'td' : 'plain';
      const table = compareDesigns(fleetOf({ vcpus, limit, type })).find(
        ({ id }) => id === tableOf[tone],
      );
      const row = table?.designs.find(({ id }) => id === design);
      return { limit, bytes: row?.fleetBytes ?? 0 };
    }),
  }));
}

/** The limits at which a table by powers of two may step, and those that people know. */
function limitsFrom(vcpus: number): number[] {
  const known = [576, 1376];
  const powers = Array.from({ length: 13 }, (_, exponent) => 2 ** exponent);
  // Just above a power of two, a table has doubled already.
  const steps = powers.map((power) => power + 1);
  return [...new Set([vcpus, ...powers, ...steps, ...known])]
    .filter((limit) => limit >= vcpus && limit <= largestLimit)
    .sort((a, b) => a - b);
}

function fleetOf(vm: Pick<VmGroup, 'type' | 'vcpus'> & { readonly limit: number }): Fleet {
  const { type, vcpus, limit } = vm;
  const group = { name: 'vm', type, count: 1, vcpus, maxVcpus: limit, maxVcpuId: undefined };
  return { name: 'chart', kvmMaxVcpus: limit, groups: [group] };
}
