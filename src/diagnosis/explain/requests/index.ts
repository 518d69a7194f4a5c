/** Every request of a TD's life, by name, and what is known of it besides the rows of the book. */
import { askedOn } from '../../../abi/kvm/checks/index.ts';
import type { ErrnoName } from '../../../abi/kvm/errno.ts';
import { defaultKernelAbi, kernelAbis } from '../../../abi/kvm/kernels/index.ts';
import type { KernelAbi } from '../../../abi/kvm/kernels/record.ts';
import { checkAnswers } from './check-notes.ts';
import { commonAnswers, severalChecks } from './common.ts';
import { hostRequestFacts } from './host-requests.ts';
import { kvmRequestFacts } from './kvm-requests.ts';
import { bookRequest, checksOf, isShared } from './numbered-checks.ts';
import type { NumberedCheck, RefusalAnswer, RequestFacts } from './request.ts';
import { tdxCommandFacts } from './tdx-commands.ts';
import { vmmRequestFacts } from './vmm-requests.ts';

export const allRequestFacts: readonly RequestFacts[] = [
  ...tdxCommandFacts,
  ...kvmRequestFacts,
  ...hostRequestFacts,
  ...vmmRequestFacts,
];

/** Whose checks are meant where nobody says it. */
export const defaultKernel: KernelAbi = kernelAbis[defaultKernelAbi];

const factsByRequest = new Map(allRequestFacts.map((facts) => [facts.request, facts]));

/** Whether a request is one of a TD's life: others may be in the book all the same. */
export function isExplained(request: string): boolean {
  return factsByRequest.has(request);
}

/** The errno's answer for this request in particular. */
export function ownAnswer(request: string, errno: string): RefusalAnswer | undefined {
  return factsByRequest.get(request)?.answers[errno as ErrnoName];
}

export interface RequestChecks {
  readonly on: RequestFacts['on'] | undefined;
  readonly checks: readonly NumberedCheck[];
  /** The kernel whose checks they are; undefined where the book does not have the request. */
  readonly kernel: KernelAbi | undefined;
}

export function requestChecks(request: string, abi: KernelAbi): RequestChecks {
  const inBook = bookRequest(request);
  if (inBook !== undefined) {
    return { on: askedOn(inBook), checks: checksOf(inBook, abi), kernel: abi };
  }
  const { on, checks } = factsByRequest.get(request) ?? {};
  return { on, checks: checks ?? [], kernel: undefined };
}

/** What an errno means is the same whatever was checked: memory, descriptors, signals, pointers. */
const sameForAll: ReadonlySet<string> = new Set([
  'EFAULT',
  'EINTR',
  'ENOMEM',
  'EMFILE',
  'ENFILE',
  'EHWPOISON',
]);

export function meansTheSameForAll(errno: string): boolean {
  return sameForAll.has(errno);
}

/** The errnos that say something of this request in particular. */
export function tellingErrnos(
  request: string,
  abi: KernelAbi = defaultKernel,
): ReadonlySet<string> {
  const own = Object.keys(factsByRequest.get(request)?.answers ?? {});
  const telling = requestChecks(request, abi).checks.filter(
    (check) => check.name !== undefined && !check.unreachable && !isShared(check),
  );
  const errnos = telling.flatMap(({ errno }) => errno);
  return new Set([...own, ...errnos.filter((errno) => !meansTheSameForAll(errno))]);
}

export const handWrittenAnswers: readonly RefusalAnswer[] = [
  ...allRequestFacts.flatMap(({ answers }) => Object.values(answers)),
  ...Object.values(commonAnswers),
  severalChecks,
];

export const requestAnswers: readonly RefusalAnswer[] = [...handWrittenAnswers, ...checkAnswers];
