import type { CheckOrder } from '../checks/index.ts';
import { without } from './orders.ts';
import type { KernelAbi } from './record.ts';
import { seriesV9 } from './series-v9.ts';

/** What makes a TD in the module, up to its TDCS. */
const buildTd: CheckOrder = [
  'init-vm.cgroup-limit',
  'init-vm.no-memory-for-td',
  'init-vm.package-offline',
  'init-vm.create-no-entropy',
  'init-vm.create-refused',
  'init-vm.key-config-refused',
  'init-vm.addcx-no-entropy',
  'init-vm.addcx-refused',
];

export const preV8: KernelAbi = {
  ...seriesV9,
  name: 'pre-v8',
  description: 'the patch series up to v7: KVM_CREATE_VM takes the key slot',
  source: "Intel's series up to v7, June 2022, before the review of August 2022",
  unconfirmed: [
    'KVM_CREATE_VM runs KEY.CONFIG and ADDCX too, and only TDH.MNG.INIT is left to KVM_TDX_INIT_VM',
    'the misc cgroup is charged as today',
    'the struct of KVM_TDX_INIT_VM is that of v9; the first posting had max_vcpus in the command',
    'a move was never posted on it: that of RFC v1 is taken, without its defects',
  ],
  checks: {
    ...seriesV9.checks,
    KVM_CREATE_VM: [...seriesV9.checks.KVM_CREATE_VM, 'init-vm.no-key-slot-yet', ...buildTd],
    KVM_TDX_INIT_VM: without(seriesV9.checks.KVM_TDX_INIT_VM, 'init-vm.no-key-slot', ...buildTd),
  },
  keyId: { takenAt: 'KVM_CREATE_VM' },
};
