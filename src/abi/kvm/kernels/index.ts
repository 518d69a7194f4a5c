import { breakoutV1 } from './breakout-v1.ts';
import { postedDynamicPamt } from './posted-dynamic-pamt.ts';
import { postedInplaceConversion } from './posted-inplace-conversion.ts';
import { postedTerminateVm } from './posted-terminate-vm.ts';
import { preV8 } from './pre-v8.ts';
import { proposal1, proposal1a, proposal1b, proposal2 } from './proposals.ts';
import type { KernelAbi } from './record.ts';
import { rfcMigrationV1 } from './rfc-migration-v1.ts';
import { rfcMigrationV2 } from './rfc-migration-v2.ts';
import { seriesV9 } from './series-v9.ts';
import { seriesV19 } from './series-v19.ts';
import { upstream616 } from './upstream-6.16.ts';
import { upstream73 } from './upstream-7.3.ts';

/** Released kernels first, then what was posted and proposed, newest first. */
export const kernelAbis = {
  'upstream-7.3': upstream73,
  'upstream-6.16': upstream616,
  'posted-inplace-conversion': postedInplaceConversion,
  'posted-dynamic-pamt': postedDynamicPamt,
  'posted-terminate-vm': postedTerminateVm,
  'rfc-migration-v2': rfcMigrationV2,
  'rfc-migration-v1': rfcMigrationV1,
  'breakout-v1': breakoutV1,
  'series-v19': seriesV19,
  'series-v9': seriesV9,
  'pre-v8': preV8,
  'proposal-1': proposal1,
  'proposal-1a': proposal1a,
  'proposal-1b': proposal1b,
  'proposal-2': proposal2,
} as const satisfies Record<string, KernelAbi>;

export type KernelAbiName = keyof typeof kernelAbis;
export const defaultKernelAbi: KernelAbiName = 'upstream-7.3';

/** undefined: no kernel here has the name, as that of a real host. */
export function kernelAbiNamed(name: string | undefined): KernelAbi | undefined {
  const known: Readonly<Record<string, KernelAbi>> = kernelAbis;
  return name !== undefined && Object.hasOwn(known, name) ? known[name] : undefined;
}

/**
 * The rules that a kernel goes by: those of a record by its name, or those of the release that a real
 * kernel tells (`Linux 6.17.4`). One that cannot be told is taken for the current one.
 */
export function kernelAbiOf(rules: string): KernelAbi {
  const released = /(?:^|\s)6\.1[678]\b/.test(rules) ? upstream616 : kernelAbis[defaultKernelAbi];
  return kernelAbiNamed(rules) ?? released;
}
