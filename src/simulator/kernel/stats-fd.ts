/** KVM_GET_STATS_FD opens a file with the statistics of a VM or vCPU. The file keeps the VM alive. */
import type { Answer, Caller } from '../interface.ts';
import { okWithFile } from './answer.ts';
import { descriptorStep, firstRefusal, type Steps } from './checks.ts';
import type { Kernel } from './kernel.ts';
import type { StatisticsFile } from './statistics.ts';
import { putVm } from './vm/teardown.ts';

const steps: Steps<{ readonly kernel: Kernel; readonly caller: Caller }> = {
  'process.no-descriptor': descriptorStep(
    'process.no-descriptor',
    'KVM_GET_STATS_FD: install the fd',
  ),
};

export function getStatsFd(kernel: Kernel, caller: Caller, statistics: StatisticsFile): Answer {
  const call = { kernel, caller };
  const refused = firstRefusal(kernel, 'KVM_GET_STATS_FD', { steps, call });
  if (refused !== undefined) return refused;
  statistics.vm.references++;
  return okWithFile(kernel.files.install({ kind: 'stats', statistics }));
}

export function releaseStatistics(kernel: Kernel, statistics: StatisticsFile): void {
  kernel.statistics.close(statistics);
  putVm(kernel, statistics.vm);
}
