/** What the chart draws: bytes of one VM as its limit grows, while its vCPUs stay the same. */
import { moduleReleases } from '../../abi/tdx/module-releases.ts';
import {
  compareDesigns,
  type Fleet,
  kvmMaxVcpusRange,
  maxVcpusOf,
  type VmGroup,
} from '../../plan/fleet/index.ts';
import type { Palette } from '../../visualize/svg/palette.ts';

export interface ChartLine extends Curve {
  /** Empty where the VM has more vCPUs than the limit that ends the line. */
  readonly points: readonly Point[];
  /** What the user's own VM takes; undefined: it is of another type, or beyond the end of the line. */
  readonly own: (Point & { readonly fleetBytes: number }) | undefined;
}

export interface Point {
  readonly limit: number;
  readonly bytes: number;
}

interface Curve {
  readonly label: string;
  readonly type: VmGroup['type'];
  readonly table: 'vcpuArray' | 'pidTable' | 'controlPages';
  readonly design: string;
  /** No two lines have the same colour, and those of one table differ in their dashes too. */
  readonly color: keyof Palette;
  readonly dash: string;
  /** More vCPUs than this are refused. */
  readonly most: number;
  /** Whose number it is that the bytes follow: the VM's own limit, or that of the kernel. */
  readonly follows: 'vm' | 'kernel';
}

export const largestLimit = kvmMaxVcpusRange.max;

const plain = { type: 'plain', most: largestLimit } as const;
const array = { ...plain, table: 'vcpuArray', follows: 'vm' } as const;
const pid = { ...plain, table: 'pidTable' } as const;
const td = { type: 'td', table: 'controlPages', follows: 'vm' } as const;

const curves: readonly Curve[] = [
  {
    ...td,
    label: 'TDX control pages, module 2.0',
    design: '2.0.08',
    color: 'apart',
    dash: '9 4',
    most: moduleReleases['2.0.08'].maxVcpusPerTd,
  },
  {
    ...td,
    label: 'TDX control pages, module 1.5',
    design: '1.5.28',
    color: 'always',
    dash: '',
    most: moduleReleases['1.5.28'].maxVcpusPerTd,
  },
  {
    ...pid,
    label: 'PID table, full',
    design: 'full',
    color: 'timer',
    dash: '',
    follows: 'kernel',
  },
  {
    ...pid,
    label: 'PID table by KVM_CAP_MAX_VCPU_ID',
    design: 'per-vm-cap',
    color: 'error',
    dash: '5 4',
    follows: 'vm',
  },
  {
    ...array,
    label: 'kvm->vcpus, sized by the limit',
    design: 'sized-at-creation',
    color: 'event',
    dash: '',
  },
  { ...array, label: 'kvm->vcpus, xarray', design: 'xarray', color: 'active', dash: '11 3 2 3' },
  { ...array, label: 'kvm->vcpus, list', design: 'list', color: 'ink', dash: '7 5' },
  {
    ...array,
    label: 'kvm->vcpus, resized (RCU)',
    design: 'resized-on-demand',
    color: 'done',
    dash: '2 3',
  },
];

/** @param own the user's groups that differ in nothing but their type. */
export function chartLines(own: readonly VmGroup[], fleet: Fleet): ChartLine[] {
  const vcpus = own[0]?.vcpus ?? 1;
  return curves.map((curve) => ({
    ...curve,
    points: limitsFrom(vcpus, curve.most).map((limit) => ({
      limit,
      bytes: bytesOf(curve, varied({ vcpus, limit, type: curve.type })) ?? 0,
    })),
    own: ownPoint(curve, own, fleet),
  }));
}

function ownPoint(curve: Curve, own: readonly VmGroup[], fleet: Fleet): ChartLine['own'] {
  const group = own.find(({ type }) => type === curve.type);
  if (group === undefined) return undefined;
  const limit = curve.follows === 'vm' ? maxVcpusOf(group, fleet) : fleet.kvmMaxVcpus;
  const bytes = bytesOf(curve, { ...fleet, groups: [{ ...group, count: 1 }] });
  if (bytes === undefined || limit > curve.most) return undefined;
  return { limit, bytes, fleetBytes: bytes * group.count };
}

function bytesOf({ table, design }: Curve, fleet: Fleet): number | undefined {
  return compareDesigns(fleet)
    .find(({ id }) => id === table)
    ?.designs.find(({ id }) => id === design)?.fleetBytes;
}

/** The limits at which a table by powers of two may step, and the one that ends the line. */
function limitsFrom(vcpus: number, most: number): number[] {
  const powers = Array.from({ length: 13 }, (_, exponent) => 2 ** exponent);
  // Just above a power of two, a table has doubled already.
  const steps = powers.map((power) => power + 1);
  return [...new Set([vcpus, ...powers, ...steps, most])]
    .filter((limit) => limit >= vcpus && limit <= most)
    .sort((a, b) => a - b);
}

/** The limit is varied as if KVM_MAX_VCPUS, and with it the ids, were that number. */
function varied(vm: Pick<VmGroup, 'type' | 'vcpus'> & { readonly limit: number }): Fleet {
  const { type, vcpus, limit } = vm;
  const group = { name: 'vm', type, count: 1, vcpus, maxVcpus: limit, maxVcpuId: undefined };
  return { name: 'chart', kvmMaxVcpus: limit, groups: [group] };
}
