/** What a Rehearsal file says of single kernels: `expectUnder`. */
import { z } from 'zod';
import { type KernelAbiName, kernelAbis } from '../../abi/kvm/kernels/index.ts';

export const kernelNames = Object.keys(kernelAbis) as [KernelAbiName, ...KernelAbiName[]];

export type UnderKernel<Value> = Readonly<Partial<Record<KernelAbiName, Value | undefined>>>;

/**
 * A map from kernel ABIs. Its keys are those of the schema, so that a misspelt one is found.
 *
 * @param id names the map in the schema for editors, which then has it once
 */
export function underKernel<Value extends z.ZodType>(value: Value, id: string) {
  const shape = Object.fromEntries(kernelNames.map((name) => [name, value.optional()]));
  return z.strictObject(shape as Record<KernelAbiName, z.ZodOptional<Value>>).meta({ id });
}
