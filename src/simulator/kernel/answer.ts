/** The model answers an ioctl with a value, or with the row of the book that refused it. */

import { book, type CheckName, errnosOf } from '../../abi/kvm/checks/index.ts';
import type { ErrnoName } from '../../abi/kvm/errno.ts';
import type { Answer, MadeFile } from '../interface.ts';
import type { TdxSupport } from './kernel.ts';

export type Refusal = Extract<Answer, { readonly ok: false }>;

// Every answer without a value of its own is made once, so that a refused ioctl allocates nothing.
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

/** The value is the handle of the new file. */
export function okWithFile(made: MadeFile): Answer {
  return { ok: true, value: made.handle, made };
}

export function refuse(check: CheckName): Refusal {
  const refusal = refusals.get(check);
  if (refusal === undefined) throw new Error(`the book has no check ${check}`);
  return refusal;
}

/** The refusal says more than its row does: which of several errnos it is, or the module's status. */
export function refuseWith(
  check: CheckName,
  { errno = usualErrno(check), hwError }: Partial<Pick<Refusal, 'errno' | 'hwError'>>,
): Refusal {
  return { ok: false, errno, hwError, check };
}

/** The call is refused because the last leaf was: by a row of the module, unless that was injected. */
export function refusedByModule(
  check: CheckName,
  { module: { refusedBy, last } }: TdxSupport,
  hwError?: bigint,
): Refusal {
  const refusal = hwError === undefined ? refuse(check) : refuseWith(check, { hwError });
  return {
    ...refusal,
    ...(refusedBy === undefined ? {} : { moduleCheck: refusedBy }),
    ...(last === undefined ? {} : { leaf: last }),
  };
}

/** No check of the kernel gives this refusal, because it was injected before any check was made. */
export function injected(errno: ErrnoName): Refusal {
  return { ok: false, errno, hwError: undefined, check: undefined };
}

function usualErrno(check: CheckName): ErrnoName {
  const [errno] = errnosOf(book[check]);
  if (errno === undefined) throw new Error(`the check ${check} answers no errno`);
  return errno;
}
