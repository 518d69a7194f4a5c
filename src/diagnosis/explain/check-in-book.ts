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
  const madeBy: MadeBy[] = [...new Set(made.map(({ kernels }) => kernels.join(' ')))].map(
    (key) => ({
      requests: made
        .filter(({ kernels }) => kernels.join(' ') === key)
        .map(({ request }) => request),
      kernels: key.split(' '),
    }),
  );
  const unreachableIn = abis
    .filter((abi) => abi.unreachable.includes(name))
    .map((abi) => abi.name)
    .filter((kernel) => made.some(({ kernels }) => kernels.includes(kernel)));
  return { name, row: book[name], madeBy, unreachableIn };
}
