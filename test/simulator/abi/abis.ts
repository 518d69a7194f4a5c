import { type KernelAbi, type KernelAbiName, kernelAbis } from '../../../src/simulator/index.ts';

/** Every kernel ABI, or those that a rule is about. */
export function abisWhere(
  applies: (abi: KernelAbi) => boolean = () => true,
): readonly KernelAbiName[] {
  return (Object.keys(kernelAbis) as KernelAbiName[]).filter((name) => applies(kernelAbis[name]));
}
