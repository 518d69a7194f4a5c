import type { KernelAbi } from '../../kernel/kernel-abi.ts';
import { postedTerminateVm } from './posted-terminate-vm.ts';
import { upstream73 } from './upstream-7.3.ts';

export const kernelAbis = {
  'upstream-7.3': upstream73,
  'posted-terminate-vm': postedTerminateVm,
} as const satisfies Record<string, KernelAbi>;

export type KernelAbiName = keyof typeof kernelAbis;
export const defaultKernelAbi: KernelAbiName = 'upstream-7.3';
