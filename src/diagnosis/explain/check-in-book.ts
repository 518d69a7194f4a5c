/** A row of the book by its name: which kernels make the check, and of which requests. */
import {
  book,
  type Check,
  type CheckedRequest,
  type CheckName,
  checkedRequests,
} from '../../abi/kvm/checks/index.ts';
import { kernelAbis } from '../../abi/kvm/kernels/index.ts';
import { type KernelAbi, makesCheck } from '../../abi/kvm/kernels/record.ts';

/** Requests of which the same kernels make a check. */
export interface MadeBy {
  readonly requests: readonly CheckedRequest[];
  readonly kernels: readonly string[];
  readonly byEveryKernel: boolean;
}

export interface CheckInBook {
  readonly name: CheckName;
  readonly row: Check;
  /** Empty: it comes before the request is known. */
  readonly madeBy: readonly MadeBy[];
  /** Kernels that have it in their code, and nothing can come to it. */
  readonly unreachableIn: readonly string[];
}

export function checkInBook(
  name: CheckName,
  abis: readonly KernelAbi[] = Object.values(kernelAbis),
): CheckInBook {
  const made = checkedRequests
    .map((request) => ({
      request,
      kernels: abis.filter((abi) => makesCheck(abi, request, name)).map((abi) => abi.name),
    }))
    .filter(({ kernels }) => kernels.length > 0);
  const madeBy = [...new Set(made.map(({ kernels }) => kernels.join(' ')))].map((key): MadeBy => {
    const kernels = key.split(' ');
    return {
      requests: made.filter((one) => one.kernels.join(' ') === key).map(({ request }) => request),
      kernels,
      byEveryKernel: kernels.length === abis.length,
    };
  });
  const unreachableIn = abis
    .filter((abi) => abi.unreachable.includes(name))
    .map((abi) => abi.name)
    .filter((kernel) => made.some(({ kernels }) => kernels.includes(kernel)));
  return { name, row: book[name], madeBy, unreachableIn };
}
