/** What the model answers: a value, or the row of the book that refused. */

import { book, type CheckName, errnosOf } from '../../abi/kvm/checks/index.ts';
import type { ErrnoName } from '../../abi/kvm/errno.ts';
import type { Answer } from '../interface.ts';
import type { TdxSupport } from './kernel.ts';

export type Refusal = Extract<Answer, { readonly ok: false }>;

// Every answer without a value of its own is made once: a refused ioctl allocates nothing.
const refusals = new Map<CheckName, Refusal>(
  (Object.keys(book) as CheckName[]).map((check) => [
    check,
    Object.freeze({ ok: false, errno: usualErrno(check), hwError: undefined, check }),
  ]),
);

export const done: Answer = Object.freeze({ ok: true, value: 0 });

export function ok(value: number): Answer {
  return value === 0 ? done : { ok: true, value };
}

export function refuse(check: CheckName): Refusal {
  const refusal = refusals.get(check);
  if (refusal === undefined) throw new Error(`the book has no check ${check}`);
  return refusal;
}

/** A refusal that says more than its row: which of several errnos, or the status of the module. */
export function refuseWith(
  check: CheckName,
  { errno = usualErrno(check), hwError }: Partial<Pick<Refusal, 'errno' | 'hwError'>>,
): Refusal {
  return { ok: false, errno, hwError, check };
}

/** A refusal because the last leaf was refused: by a row of the module, unless that was injected. */
export function refusedByModule(
  check: CheckName,
  { module: { refusedBy } }: TdxSupport,
  hwError?: bigint,
): Refusal {
  const refusal = hwError === undefined ? refuse(check) : refuseWith(check, { hwError });
  return refusedBy === undefined ? refusal : { ...refusal, moduleCheck: refusedBy };
}

/** A refusal that no check of the kernel gives: it was injected before any was made. */
export function injected(errno: ErrnoName): Refusal {
  return { ok: false, errno, hwError: undefined, check: undefined };
}

function usualErrno(check: CheckName): ErrnoName {
  const [errno] = errnosOf(book[check]);
  if (errno === undefined) throw new Error(`the check ${check} answers no errno`);
  return errno;
}
