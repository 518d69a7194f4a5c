/** The kernel ABI that a user names. */
import { kernelAbiNamed, kernelAbis } from '../abi/kvm/kernels/index.ts';
import type { KernelAbi } from '../abi/kvm/kernels/record.ts';
import { nearest } from '../documents/nearest.ts';
import { TdctlError } from '../errors/index.ts';

/**
 * @param asked what was to be done with it, and where the name stands.
 * @throws TdctlError TDCTL_E_USAGE for a name that is not known, with the nearest one.
 */
export function kernelNamed(
  name: string,
  asked: { readonly op: string; readonly place: string },
): KernelAbi {
  const found = kernelAbiNamed(name);
  if (found !== undefined) return found;
  const guess = nearest(name, Object.keys(kernelAbis));
  throw new TdctlError({
    code: 'TDCTL_E_USAGE',
    ...asked,
    message: `there is no kernel ABI \`${name}\``,
    hint: `${guess === undefined ? '' : `did you mean \`${guess}\`? `}\`tdctl kernels\` lists them all`,
  });
}
