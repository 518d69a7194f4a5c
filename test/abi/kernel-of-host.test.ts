import { expect, test } from 'vitest';
import { type KernelAbiName, kernelAbiOf, kernelAbis } from '../../src/abi/kvm/kernels/index.ts';

test.each(Object.keys(kernelAbis) as KernelAbiName[])('%s goes by its own rules', (name) => {
  expect(kernelAbiOf(name)).toBe(kernelAbis[name]);
});

test.each<[rules: string, expected: KernelAbiName]>([
  ['Linux 6.16.0-rc1', 'upstream-6.16'],
  ['Linux 6.17.4-generic', 'upstream-6.16'],
  ['6.18.1', 'upstream-6.16'],
  ['Linux 6.19.0', 'upstream-7.3'],
  ['Linux 7.3.4-1~bpo13+1', 'upstream-7.3'],
  ['not known', 'upstream-7.3'],
])('%s goes by the rules of %s', (rules, expected) => {
  expect(kernelAbiOf(rules).name).toBe(expected);
});
