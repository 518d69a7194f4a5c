import type { ConformanceTable } from './case.ts';
import { creation } from './creation.ts';
import { enabling } from './enabling.ts';
import { moving } from './moving.ts';
import { onVcpus } from './on-vcpu.ts';
import { running } from './running.ts';
import { tdxCommandsOnVcpus } from './tdx-vcpu.ts';
import { tdxCommandsOnVms } from './tdx-vm.ts';
import { vcpuStates } from './vcpu-state.ts';

/** Every request of the book, and the conditions of its checks. */
export const conformance: ConformanceTable = {
  ...creation,
  ...enabling,
  ...moving,
  ...tdxCommandsOnVms,
  ...tdxCommandsOnVcpus,
  ...onVcpus,
  ...vcpuStates,
  ...running,
};
