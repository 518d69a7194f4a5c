/** The checks of KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM as the two RFCs make them. */
import { type CheckOrder, linux73Checks } from '../checks/index.ts';
import { without } from './orders.ts';

const beforeMove = without(
  linux73Checks['KVM_ENABLE_CAP(KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM)'],
  'move.unsupported',
);

/** RFC v1: the type of the destination is looked at first, and nothing is moved before all checks. */
export const moveChecksOfRfcV1: CheckOrder = [
  ...beforeMove,
  'move.destination-no-td',
  'move.source-closed',
  'move.same-vm',
  'move.killed',
  'move.vcpu-counts-differ',
  'move.td-states-kept',
  'move.memslots-differ',
  'move.no-memory',
];

/** RFC v2: the source is dead from 'move.memslots-differ' on, before TDX has looked at anything. */
export const moveChecksOfRfcV2: CheckOrder = [
  ...beforeMove,
  'move.source-closed',
  'move.types-differ',
  'move.same-vm',
  'move.killed',
  'move.memslots-differ',
  'move.td-states',
  'move.cgroup-limit',
  'move.no-memory',
  'move.no-x2apic',
  'move.apic-state',
  'move.vcpu-without-partner',
];
