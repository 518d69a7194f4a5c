import { moveChecksOfRfcV1 } from './moves.ts';
import { replaced, without } from './orders.ts';
import type { KernelAbi } from './record.ts';
import { seriesV19 } from './series-v19.ts';

const { checks } = seriesV19;

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
  checks: {
    ...checks,
    KVM_SET_USER_MEMORY_REGION2: without(
      checks.KVM_SET_USER_MEMORY_REGION2,
      'memory-region.memfd-of-other-vm',
    ),
    'KVM_ENABLE_CAP(KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM)': replaced(
      // As posted, a different number of vCPUs jumps to the exit with the result still 0: it moves on.
      without(moveChecksOfRfcV1, 'move.vcpu-counts-differ'),
      'move.memslots-differ',
      'move.memslot-counts-differ',
    ),
  },
  move: { protocol: 'rfc-v1', sourceCharge: 'never released', losesMemoryAttributes: false },
};
