import type { ConformanceTable } from './case.ts';
import { creation } from './creation.ts';
import { enabling } from './enabling.ts';
import { eventfds } from './eventfds.ts';
import { files } from './files.ts';
import { interrupts } from './interrupts.ts';
import { memory } from './memory.ts';
import { memoryRegions } from './memory-regions.ts';
import { moving } from './moving.ts';
import { msrs } from './msrs.ts';
import { onVcpus } from './on-vcpu.ts';
import { running } from './running.ts';
import { system } from './system.ts';
import { tdxCommandsOnVcpus } from './tdx-vcpu.ts';
import { tdxCommandsOnVms } from './tdx-vm.ts';
import { vcpuStates } from './vcpu-state.ts';
import { vmSettings } from './vm-settings.ts';

/** Every request of the book, and the conditions of its checks. */
export const conformance: ConformanceTable = {
  ...creation,
  ...enabling,
  ...moving,
  ...interrupts,
  ...eventfds,
  ...msrs,
  ...system,
  ...tdxCommandsOnVms,
  ...tdxCommandsOnVcpus,
  ...onVcpus,
  ...vcpuStates,
  ...running,
  ...memoryRegions,
  ...memory,
  ...vmSettings,
  ...files,
};
