import type { KernelAbi } from './kernel-abi.ts';
import { seriesV19 } from './series-v19.ts';

export const rfcMigrationV1: KernelAbi = {
  ...seriesV19,
  name: 'rfc-migration-v1',
  description: 'intra-host migration as first posted: private memory in a file of no VM',
  source: 'RFC v1, Sagi Shahar, 7 April 2023, 20230407201921.2703758-*@google.com',
  unconfirmed: [
    'the rules apart from the move: those of the series of its time, v10 and later',
    "the source's cgroup stays charged for good: v1 transfers no charge",
    'of the memory slots only their number is compared: the posted loop compares most with itself',
    'a destination that has its own key slot: it is overwritten, and so lost',
  ],
  guestMemfd: { bindsTo: 'any VM', link: false },
  move: {
    protocol: 'rfc-v1',
    memslots: 'counts must match',
    vcpuCountsDiffer: 'moves on',
    sourceCharge: 'never released',
    losesMemoryAttributes: false,
  },
};
